/* generate.c - print what is derived from the tables: headers for guests, pages for readers */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

/* usage: generate TARGET > FILE. One row of `targets` for each; a target prints to stdout. */

/* The header that guest code and guest assembly share: plain numbers, no C beyond #define. */
static void print_sdk(void)
{
    puts("/* mote-machine.h - the windows and registers of a Mote MCU */\n"
         "/* SPDX-License-Identifier: MIT */\n"
         "/* Generated from abi/mem.def and abi/dev.def by tools/generate.c: change those. Usable "
         "from\n"
         " * C, C++, assembly and linker scripts; a register's macro is its address. */\n"
         "#pragma once\n");
#define WINDOW(name, base, size, access, text)                                                  \
    printf("/* " #name ": " text " */\n#define MOTE_%-20s " #base "\n#define MOTE_%-20s " #size \
           "\n",                                                                                \
           #name "_BASE", #name "_SIZE");
#include "abi/mem.def"
#undef WINDOW
#define DEVICE(name, base, size, widths, text) \
    enum { name##_AT = (base) };               \
    printf("\n/* " #name ": " text " */\n#define MOTE_%-20s " #base "\n", #name "_BASE");
#define REGISTER(device, name, offset, access, text)                        \
    printf("#define MOTE_%-20s 0x%08x /* " text " */\n", #device "_" #name, \
           (unsigned)device##_AT + (offset));
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
}

static const struct target {
    const char *name;
    void (*print)(void);
} targets[] = {
    {"sdk", print_sdk},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof targets / sizeof targets[0]; i++) {
        if (strcmp(argv[1], targets[i].name) == 0) {
            targets[i].print();
            return fflush(stdout) || ferror(stdout) ? 1 : 0;
        }
    }
    fprintf(stderr, "usage: generate TARGET, where TARGET is one of:");
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        fprintf(stderr, " %s", targets[i].name);
    }
    fputc('\n', stderr);
    return 2;
}
