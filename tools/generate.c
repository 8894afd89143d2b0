/* generate.c - print what is derived from the tables: headers for guests, pages for readers */
/* SPDX-License-Identifier: MIT */
#include "base/defaults.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* usage: generate TARGET > FILE. One row of `targets` for each; a target prints to stdout. All but
 * `sdk`, `titles` and `dropped` are Markdown, which tools/docs puts into the pages of docs/source;
 * `titles` and `dropped` it keeps in contrib/cgi/mcu.sh. */

/* What the access column of mem.def and dev.def is made of. */
enum { R = 4, W = 2, X = 1 };

enum {
#define WINDOW(name, base, size, access, text) \
    name##_WINDOW = (int)(base), name##_ACCESS = (access),
#include "abi/mem.def"
#undef WINDOW
#define DEVICE(name, base, size, widths, text) name##_AT = (base),
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

#define PROFILE(name, word, is_fitted, has_devices, is_bare, text) \
    static const char name##_word[] = word;
#include "abi/machine.def"
#undef PROFILE

static const char *access_text(int access)
{
    static const char *const texts[] = {"-", "x", "w", "wx", "r", "rx", "rw", "rwx"};
    return texts[access & 7];
}

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
#define PART(window, name, offset, size, text)                                  \
    printf("/* " #window "_" #name ": " text " */\n#define MOTE_%-20s 0x%08x\n" \
           "#define MOTE_%-20s " #size "\n",                                    \
           #window "_" #name, (unsigned)window##_WINDOW + (offset), #window "_" #name "_SIZE");
#include "abi/mem.def"
#undef WINDOW
#define DEVICE(name, base, size, widths, text) \
    printf("\n/* " #name ": " text " */\n#define MOTE_%-20s " #base "\n", #name "_BASE");
#define REGISTER(device, name, offset, count, stride, access, text)         \
    printf("#define MOTE_%-20s 0x%08x /* " text " */\n", #device "_" #name, \
           (unsigned)device##_AT + (offset));
#define SOURCE(device, first, count, text)                                                     \
    printf("/* Interrupt source, the first of its kind: " text " */\n#define MOTE_%-20s %u\n", \
           #device "_SOURCE", first);
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
#undef SOURCE
}

static void print_windows(void)
{
    puts("| window | first | last | size | guest may | holds |\n|---|---|---|--:|---|---|");
#define WINDOW(name, base, size, access, text)                                       \
    printf("| %s | 0x%08x | 0x%08x | %u KiB | %s | %s |\n", #name, (unsigned)(base), \
           (unsigned)(base) + (size)-1, (unsigned)(size) >> 10, access_text(access), text);
#define PART(window, name, offset, size, text)                                                    \
    printf("| %s.%s | 0x%08x | 0x%08x | %u KiB | %s | %s |\n", #window, #name,                    \
           (unsigned)window##_WINDOW + (offset), (unsigned)window##_WINDOW + (offset) + (size)-1, \
           (unsigned)(size) >> 10, access_text(window##_ACCESS), text);
#include "abi/mem.def"
#undef WINDOW
}

static void print_profiles(void)
{
    puts("| profile | what it is |\n|---|---|");
#define PROFILE(name, word, is_fitted, has_devices, is_bare, text) \
    puts("| `" word "` | " text " |");
#include "abi/machine.def"
#undef PROFILE
}

/* The windows of the profiles but `virt`, which has a table of its own. */
static void print_places(void)
{
    puts("| profile | window | first | largest size | guest may |\n|---|---|---|--:|---|");
#define PROFILE(name, word, is_fitted, has_devices, is_bare, text)
#define PLACE(profile, window, base, size)                                              \
    if (strcmp(#profile, "VIRT") != 0) {                                                \
        printf("| `%s` | %s | 0x%08x | %u KiB | %s |\n", profile##_word, #window,       \
               (unsigned)(base), (unsigned)(size) >> 10, access_text(window##_ACCESS)); \
    }
#include "abi/machine.def"
#undef PROFILE
#undef PLACE
}

static void print_devices(void)
{
    puts("| device | base | access sizes | what it is |\n|---|---|---|---|");
#define DEVICE(name, base, size, widths, text)                                                  \
    printf("| %s | 0x%08x |%s%s%s%s | %s |\n", #name, (unsigned)(base), (widths)&1 ? " 1" : "", \
           (widths)&2 ? " 2" : "", (widths)&4 ? " 4" : "", (widths) ? " bytes" : " none", text);
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
}

/* Text for a Markdown table cell, whose columns end at a bar. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        fputs(*text == '|' ? "\\|" : (char[]){*text, 0}, stdout);
    }
}

static void print_register(const char *name, unsigned address, unsigned count, unsigned stride)
{
    if (count == 1) {
        printf("| 0x%08x | %s | ", address, name);
    } else {
        printf("| 0x%08x, + %u ... 0x%08x | %s, %u of them | ", address, stride,
               address + (count - 1) * stride, name, count);
    }
}

static void print_registers(void)
{
    puts("| address | register | guest may | what it is |\n|---|---|---|---|");
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, count, stride, access, text)                     \
    print_register(#device "." #name, (unsigned)device##_AT + (offset), count, stride); \
    printf("%s | ", access_text(access));                                               \
    print_cell(text);                                                                   \
    puts(" |");
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
}

static void print_images(void)
{
    puts("| `format` | what it is | begins |\n|---|---|---|");
#define IMAGE_FORMAT(name, word, text, begins) puts("| `" #word "` | " text " | " begins " |");
#include "machine/image.def"
#undef IMAGE_FORMAT
}

static void print_semihosting(void)
{
    puts("| operation | call | what it does |\n|---|---|---|");
#define CALL(number, name, function, text) puts("| " #number " | " #name " | " text " |");
#include "machine/semihost.def"
#undef CALL
}

static void print_sources(void)
{
    puts("| source | what raises it |\n|---|---|");
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, count, stride, access, text)
#define SOURCE(device, first, count, text)                               \
    if ((count) == 1) {                                                  \
        printf("| %u | %s |\n", first, text);                            \
    } else {                                                             \
        printf("| %u to %u | %s |\n", first, (first) + (count)-1, text); \
    }
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
#undef SOURCE
}

static void print_halts(void)
{
    puts("| halt | what ended the run | exit status of `rv32im` |\n|---|---|--:|");
#define HALT(name, text, word, exit)                                            \
    if ((exit) < 0) {                                                           \
        puts("| `" word "` | " text " | the guest's exit code, at most 119 |"); \
    } else {                                                                    \
        printf("| `%s` | %s | %d |\n", word, text, exit);                       \
    }
#include "machine/halt.def"
#undef HALT
}

static void print_monitor(void)
{
    puts("| command | does |\n|---|---|");
#define MONITOR(name, function, argument, text)           \
    fputs("| `monitor " #name, stdout);                   \
    print_cell(sizeof(argument) > 1 ? " " argument : ""); \
    puts("` | " text " |");
#include "cmd/monitor.def"
#undef MONITOR
}

static void print_packets(void)
{
    puts("| packet | asks for |\n|---|---|");
#define PACKET(begin, function, text) puts("| `" begin "` | " text " |");
#include "cmd/gdb_packet.def"
#undef PACKET
}

static void print_errors(void)
{
    puts("| error | what it says | HTTP status | exit status of `rv32im` |\n|---|---|--:|--:|");
#define ERR(name, text, http, exit) printf("| %s | %s | %d | %d |\n", #name, text, http, exit);
#include "base/err.def"
#undef ERR
}

/* A name as the assembler has it: the table's `_` is its dot. */
static const char *dotted(const char *name, char ret_text[32])
{
    size_t i = 0;
    for (; name[i] && i < 31; i++) {
        ret_text[i] = name[i] == '_' ? '.' : name[i];
    }
    ret_text[i] = 0;
    return ret_text;
}

static void print_extensions(void)
{
    puts("| extension | what it is |\n|---|---|");
#define EXTENSION(name, text) puts("| " #name " | " text " |");
#include "isa/extension.def"
#undef EXTENSION
}

static void print_instruction(const char *name, const char *operands, const char *numbers,
                              const char *semantics, const char *text)
{
    char dots[32];
    printf("| `%s` %s | %s | `", dotted(name, dots), operands, numbers);
    print_cell(semantics);
    printf("` | %s |\n", text);
}

/* The operand column of each format, so that a row's format gives its operands. */
enum {
#define FORMAT(name, rd, rs1, rs2, immediate, operands) FORMAT_##name,
#include "isa/format.def"
#undef FORMAT
};

static const char *const operands_of[] = {
#define FORMAT(name, rd, rs1, rs2, immediate, operands) operands,
#include "isa/format.def"
#undef FORMAT
};

static void print_instructions(void)
{
    puts("| instruction | extension, match, mask | semantics | what it does |\n|---|---|---|---|");
#define INSN(name, extension, format, kind, match, mask, semantics, text)                          \
    print_instruction(#name, operands_of[FORMAT_##format], #extension " `" #match "` `" #mask "`", \
                      #semantics, text);
#include "isa/rv32.def"
#undef INSN
}

static void print_compressed(void)
{
    puts("| instruction | match | mask | expands to |\n|---|---|---|---|");
    char dots[32];
#define COMPRESSED(name, match, mask, base, rd, rs1, rs2, immediate, condition, operands)      \
    printf("| `%s` %s | `%s` | `%s` | `%s` |\n", dotted(#name, dots), operands, #match, #mask, \
           #base);
#include "isa/compressed.def"
#undef COMPRESSED
}

static void print_csrs(void)
{
    puts("| CSR | number | at reset | writable bits | section | what it is |\n"
         "|---|---|---|---|---|---|");
#define CSR(name, number, count, kind, reset, writable, section, text)                       \
    printf("| %s%s | 0x%03x | 0x%08x | 0x%08x | %s | %s |\n", #name, (count) > 1 ? "*" : "", \
           number, (unsigned)(reset), (unsigned)(writable), section, text);
#include "isa/csr.def"
#undef CSR
}

static void print_interrupts(void)
{
    puts("| bit | interrupt |\n|--:|---|");
#define INTERRUPT(name, number, text) printf("| %d | %s |\n", number, text);
#include "isa/interrupt.def"
#undef INTERRUPT
}

static void print_routes(void)
{
    puts("| method | path | answers | what it does |\n|---|---|---|---|");
#define ROUTE(handler, method, path, answers, text) \
    puts("| " #method " | `" path "` | " answers " | " text " |");
#include "service/route.def"
#undef ROUTE
}

static void print_fields(void)
{
    puts("| field | may come | built | what it is here |\n|---|---|---|---|");
    const char *const ONCE = "once";
    const char *const LIST = "again";
    const char *const NEVER = "yes";
    const char *const WRITES = "no: 501";
#define FIELD(name, times, unbuilt, text) \
    printf("| `%s` | %s | %s | %s |\n", name, times, unbuilt, text);
#include "service/field.def"
#undef FIELD
}

/* One paragraph. */
static void print_reserved(void)
{
    const char *between = "";
#define FORBIDDEN(name)              \
    printf("%s`%s`", between, name); \
    between = ", ";
#include "service/forbidden.def"
#undef FORBIDDEN
    puts(".");
}

/* By status; a type that both tables have with a status is printed once. */
static void print_problems(void)
{
    static const struct {
        int status;
        const char *type;
        const char *text;
    } rows[] = {
#define PROBLEM(status, type, text) {status, type, text},
#include "http/problem.def"
#include "service/problem.def"
#undef PROBLEM
    };
    size_t count = sizeof rows / sizeof rows[0];
    puts("| status | type | when |\n|--:|---|---|");
    for (int status = 400; status < 600; status++) {
        for (size_t i = 0; i < count; i++) {
            bool is_new = rows[i].status == status;
            for (size_t j = 0; j < i && is_new; j++) {
                is_new = rows[j].status != status || strcmp(rows[j].type, rows[i].type) != 0;
            }
            if (is_new) {
                printf("| %d | `%s` | %s |\n", status, rows[i].type, rows[i].text);
            }
        }
    }
}

/* A function of a shell script that sets `title` to the words of an error's status. */
static void print_titles(void)
{
    puts("title_of()\n{\n    case $1 in");
#define STATUS(number, reason)                               \
    if ((number) >= 400) {                                   \
        printf("    %d) title=\"%s\" ;;\n", number, reason); \
    }
#include "http/status.def"
#undef STATUS
    puts("    esac\n}");
}

/* A row of forbidden.def as a part of awk's extended regular expressions. */
static void print_pattern(const char *name)
{
    printf("|'\\\n'");
    for (; *name; name++) {
        fputs(*name == '*' ? ".*" : (char[]){(char)tolower((unsigned char)*name), 0}, stdout);
    }
}

/* A shell variable with a pattern of names that a guest may not set; `status` is none of them,
 * since the script takes it itself. */
static void print_dropped(void)
{
    printf("forbidden='^(status");
#define FORBIDDEN(name) print_pattern(name);
#include "service/forbidden.def"
#undef FORBIDDEN
    puts(")$'");
}

/* The option's value where nobody gives one; a text option's is in its text. */
static const char *fallback_text(const char *kind, long long fallback, char ret_text[32])
{
    ret_text[0] = 0;
    if (strcmp(kind, "COUNT") == 0) {
        snprintf(ret_text, 32, "%lld", fallback);
    } else if (strcmp(kind, "MS") == 0) {
        snprintf(ret_text, 32, "%lld ms", fallback);
    }
    return ret_text;
}

static void print_options(void)
{
    puts("| option | default | what it does |\n|---|--:|---|");
    char number[32];
#define OPTION(kind, field, name, letter, argument, fallback, min, max, text) \
    printf("| `--%s` %s | %s | %s |\n", name, argument,                       \
           fallback_text(#kind, (long long)(fallback), number), text);
#include "service/option.def"
#undef OPTION
}

static const struct target {
    const char *name;
    void (*print)(void);
} targets[] = {
    {"sdk", print_sdk},
    {"windows", print_windows},
    {"images", print_images},
    {"semihosting", print_semihosting},
    {"profiles", print_profiles},
    {"places", print_places},
    {"devices", print_devices},
    {"registers", print_registers},
    {"sources", print_sources},
    {"halts", print_halts},
    {"errors", print_errors},
    {"extensions", print_extensions},
    {"instructions", print_instructions},
    {"compressed", print_compressed},
    {"csrs", print_csrs},
    {"interrupts", print_interrupts},
    {"routes", print_routes},
    {"fields", print_fields},
    {"reserved", print_reserved},
    {"problems", print_problems},
    {"options", print_options},
    {"titles", print_titles},
    {"monitor", print_monitor},
    {"packets", print_packets},
    {"dropped", print_dropped},
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
