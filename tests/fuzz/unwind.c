/* unwind.c - call frame tables of any bytes leave registers whole, and end within their bounds */
/* SPDX-License-Identifier: MIT */
#include "machine/unwind.h"

#include "base/check.h"
#include <elf.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char names[] = "\0.debug_frame\0.eh_frame\0.shstrtab";

enum { SECTIONS = 3, NAME_DEBUG = 1, NAME_EH = 14, NAME_NAMES = 24, STEPS_MAX = 40 };

/* An ELF of nothing but the tables. Bytes that are too few show as an overrun. */
struct file {
    Elf32_Ehdr header;
    Elf32_Shdr sections[SECTIONS];
    char names[sizeof names];
    uint8_t tables[];
};

static struct file *make_file(const uint8_t *tables, size_t size, bool is_eh)
{
    struct file *file = calloc(1, sizeof *file + size);
    check(file);
    file->header.e_shoff = offsetof(struct file, sections);
    file->header.e_shnum = SECTIONS;
    file->header.e_shentsize = sizeof(Elf32_Shdr);
    file->header.e_shstrndx = 2;
    file->sections[1] = (Elf32_Shdr){.sh_name = is_eh ? NAME_EH : NAME_DEBUG,
                                     .sh_type = SHT_PROGBITS,
                                     .sh_addr = 0x20000400,
                                     .sh_offset = offsetof(struct file, tables),
                                     .sh_size = (Elf32_Word)size};
    file->sections[2] = (Elf32_Shdr){.sh_name = NAME_NAMES,
                                     .sh_type = SHT_STRTAB,
                                     .sh_offset = offsetof(struct file, names),
                                     .sh_size = sizeof names};
    memcpy(file->names, names, sizeof names);
    memcpy(file->tables, tables, size);
    return file;
}

/* Memory whose words follow from their addresses; some cannot be read. */
static bool read_memory(void *context, uint32_t address, uint32_t *ret_word)
{
    (*(uint32_t *)context)++;
    *ret_word = 0x20000000 + address * 2654435761u % 4096;
    return address % 7 != 0;
}

/* The first byte says which section the rest is, the next four where the program stands. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 5 };
    if (size < HEAD) {
        return 0;
    }
    uint32_t reads = 0;
    uint32_t pc;
    memcpy(&pc, data + 1, sizeof pc);
    struct file *file = make_file(data + HEAD, size - HEAD, data[0] & 1);
    const struct image image = {.format = IMAGE_ELF,
                                .file = span_of(file, sizeof *file + size - HEAD)};
    struct unwind u = {&image, read_memory, &reads, 1000};
    struct unwind_registers registers = {.pc = pc};
    for (uint32_t i = 1; i < 32; i++) {
        registers.x[i] = 0x80000000 + i * 64;
    }
    struct unwind_registers before = registers;
    for (int i = 0; i < STEPS_MAX && unwind_step(&u, registers.pc, &registers); i++) {
        check(registers.x[0] == 0);
        before = registers;
    }
    check(memcmp(&before, &registers, sizeof before) == 0);
    check(u.work_left <= 1000);
    check(reads <= STEPS_MAX * 31);
    free(file);
    return 0;
}
