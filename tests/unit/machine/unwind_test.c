/* unwind_test.c - every call frame instruction, and what its rule makes of a caller's registers */
/* SPDX-License-Identifier: MIT */
#include "machine/unwind.h"

#include "test.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

/* The instructions by name, as their codes; operands in the low bits are added. */
enum code {
#define CFA(name, code, first, second) CFA_##name = code,
#include "machine/cfa.def"
#undef CFA
};

static const enum code codes[] = {
#define CFA(name, code, first, second) CFA_##name,
#include "machine/cfa.def"
#undef CFA
};

enum {
    TEXT = 0x20000000,
    FUNCTION_SIZE = 1 << 20,
    PC = 0, /* where a row's register is the caller's pc */
    RA = 1,
    SP = 2,
    S0 = 8,
    S1 = 9,
    FT0 = 32,
    CODE_ALIGNMENT = 2,
    FACTOR_NEGATIVE_4 = 0x7c, /* the data alignment, as signed LEB128 */
    MINUS_2 = 0x7e,
    UNREADABLE = 0x1f000, /* from there on; x31 */
};

/* Each register's value tells its number, and so does each word of memory its address. */
#define X(number)     ((number)*0x1000u)
#define WORD(address) ((address) ^ 0x5a5a5a5au)

/* An ELF with a function and its .debug_frame. */
struct elf {
    Elf32_Ehdr header;
    Elf32_Phdr ph;
    Elf32_Shdr sh[3]; /* none, .debug_frame, the names */
    char names[24];
    uint8_t frame[128];
    uint8_t text[4];
};

/* What a CIE says before the row's own: the CFA is sp, ra at CFA - 4, s0 at CFA - 12. */
static const uint8_t initial[] = {CFA_def_cfa, SP, 0, CFA_offset | RA, 1, CFA_offset | S0, 3};

struct row {
    enum code of;
    uint8_t bytes[16];
    uint8_t len;
    uint32_t at; /* bytes into the function */
    uint8_t reg; /* whose value in the caller is wanted */
    uint32_t want;
};

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define SIXTEEN    CFA_def_cfa_offset, 16 /* behind what is skipped or moves on */

static const struct row rows[] = {
    {CFA_nop, BYTES(CFA_nop, SIXTEEN), 100, SP, X(SP) + 16},
    {CFA_nop, BYTES(CFA_nop), 100, PC, WORD(X(SP) - 4)},
    {CFA_set_loc, BYTES(CFA_set_loc, 50, 0, 0, 0x20, SIXTEEN), 49, SP, X(SP)},
    {CFA_set_loc, BYTES(CFA_set_loc, 50, 0, 0, 0x20, SIXTEEN), 50, SP, X(SP) + 16},
    {CFA_advance_loc, BYTES(CFA_advance_loc | 63, SIXTEEN), 125, SP, X(SP)},
    {CFA_advance_loc, BYTES(CFA_advance_loc | 63, SIXTEEN), 126, SP, X(SP) + 16},
    {CFA_advance_loc1, BYTES(CFA_advance_loc1, 200, SIXTEEN), 399, SP, X(SP)},
    {CFA_advance_loc1, BYTES(CFA_advance_loc1, 200, SIXTEEN), 400, SP, X(SP) + 16},
    {CFA_advance_loc2, BYTES(CFA_advance_loc2, 1, 2, SIXTEEN), 0x401, SP, X(SP)},
    {CFA_advance_loc2, BYTES(CFA_advance_loc2, 1, 2, SIXTEEN), 0x402, SP, X(SP) + 16},
    {CFA_advance_loc4, BYTES(CFA_advance_loc4, 1, 2, 3, 0, SIXTEEN), 0x60401, SP, X(SP)},
    {CFA_advance_loc4, BYTES(CFA_advance_loc4, 1, 2, 3, 0, SIXTEEN), 0x60402, SP, X(SP) + 16},
    {CFA_offset, BYTES(CFA_offset | S1, 2), 0, S1, WORD(X(SP) - 8)},
    {CFA_offset, BYTES(CFA_offset | SP, 2), 0, SP, WORD(X(SP) - 8)},
    {CFA_offset, BYTES(CFA_offset | RA, 2), 0, PC, WORD(X(SP) - 8)},
    {CFA_offset_extended, BYTES(CFA_offset_extended, S1, 2), 0, S1, WORD(X(SP) - 8)},
    {CFA_offset_extended, BYTES(CFA_offset_extended, FT0 + S1, 2), 0, S1, X(S1)},
    {CFA_offset_extended_sf, BYTES(CFA_offset_extended_sf, S1, MINUS_2), 0, S1, WORD(X(SP) + 8)},
    {CFA_val_offset, BYTES(CFA_val_offset, S1, 2), 0, S1, X(SP) - 8},
    {CFA_val_offset_sf, BYTES(CFA_val_offset_sf, S1, MINUS_2), 0, S1, X(SP) + 8},
    {CFA_val_offset_sf, BYTES(CFA_val_offset_sf, SP, MINUS_2), 0, SP, X(SP) + 8},
    {CFA_restore, BYTES(CFA_offset | S0, 2, CFA_restore | S0), 0, S0, WORD(X(SP) - 12)},
    {CFA_restore, BYTES(CFA_offset | S1, 2, CFA_restore | S1), 0, S1, X(S1)},
    {CFA_restore_extended, BYTES(CFA_offset | S0, 2, CFA_restore_extended, S0), 0, S0,
     WORD(X(SP) - 12)},
    {CFA_undefined, BYTES(CFA_undefined, S0), 0, S0, X(S0)},
    {CFA_same_value, BYTES(CFA_same_value, S0), 0, S0, X(S0)},
    {CFA_same_value, BYTES(CFA_same_value, RA), 0, PC, X(RA)},
    {CFA_register, BYTES(CFA_register, S0, S1), 0, S0, X(S1)},
    {CFA_register, BYTES(CFA_register, RA, S1), 0, PC, X(S1)},
    {CFA_register, BYTES(CFA_register, S0, FT0), 0, S0, X(S0)},
    {CFA_remember_state, BYTES(CFA_remember_state, CFA_offset | S0, 2), 0, S0, WORD(X(SP) - 8)},
    {CFA_restore_state,
     BYTES(CFA_remember_state, CFA_def_cfa, S1, 16, CFA_offset | S0, 2, CFA_restore_state), 0, S0,
     WORD(X(SP) - 12)},
    {CFA_def_cfa, BYTES(CFA_def_cfa, S0, 0x90, 1), 0, SP, X(S0) + 0x90},
    {CFA_def_cfa, BYTES(CFA_def_cfa, S0, 16), 0, PC, WORD(X(S0) + 16 - 4)},
    {CFA_def_cfa_sf, BYTES(CFA_def_cfa_sf, S0, MINUS_2), 0, SP, X(S0) + 8},
    {CFA_def_cfa_register, BYTES(SIXTEEN, CFA_def_cfa_register, S0), 0, SP, X(S0) + 16},
    {CFA_def_cfa_offset, BYTES(CFA_def_cfa_offset, 0x90, 1), 0, SP, X(SP) + 0x90},
    {CFA_def_cfa_offset_sf, BYTES(CFA_def_cfa_offset_sf, MINUS_2), 0, SP, X(SP) + 8},
    {CFA_def_cfa_expression, BYTES(CFA_def_cfa_expression, 2, 0x77, 0, CFA_def_cfa, S0, 16), 0, SP,
     X(S0) + 16},
    {CFA_expression, BYTES(CFA_expression, S0, 2, 0x77, 0, SIXTEEN), 0, S0, X(S0)},
    {CFA_expression, BYTES(CFA_expression, S0, 2, 0x77, 0, SIXTEEN), 0, SP, X(SP) + 16},
    {CFA_val_expression, BYTES(CFA_val_expression, S0, 2, 0x77, 0, SIXTEEN), 0, S0, X(S0)},
    {CFA_val_expression, BYTES(CFA_val_expression, S0, 2, 0x77, 0, SIXTEEN), 0, SP, X(SP) + 16},
    {CFA_GNU_args_size, BYTES(CFA_GNU_args_size, 0x90, 1, SIXTEEN), 0, SP, X(SP) + 16},
};

/* Where nobody can say where the caller goes on, or what the program means. */
static const struct row strangers[] = {
    {CFA_undefined, BYTES(CFA_undefined, RA), 0, 0, 0},
    {CFA_register, BYTES(CFA_register, RA, FT0), 0, 0, 0},
    {CFA_expression, BYTES(CFA_expression, RA, 1, 0x77), 0, 0, 0},
    {CFA_val_expression, BYTES(CFA_val_expression, RA, 1, 0x77), 0, 0, 0},
    {CFA_def_cfa, BYTES(CFA_def_cfa, 31, 16), 0, 0, 0}, /* ra is where nothing can be read */
    {CFA_def_cfa, BYTES(CFA_def_cfa, FT0, 0), 0, 0, 0},
    {CFA_def_cfa, BYTES(CFA_def_cfa, SP), 0, 0, 0}, /* cut off */
    {CFA_def_cfa_register, BYTES(CFA_def_cfa_register, FT0), 0, 0, 0},
    {CFA_def_cfa_expression, BYTES(CFA_def_cfa_expression, 1, 0x77), 0, 0, 0},
    {CFA_def_cfa_expression, BYTES(CFA_def_cfa_expression, 1, 0x77, SIXTEEN), 0, 0, 0},
    {CFA_def_cfa_expression, BYTES(CFA_def_cfa_expression, 100, 0x77), 0, 0, 0},
    {CFA_restore_state, BYTES(CFA_restore_state), 0, 0, 0},
    {CFA_remember_state, BYTES(10, 10, 10, 10, 10, 10, 10, 10, 10), 0, 0, 0}, /* nine */
    {CFA_nop, BYTES(0x3f), 0, 0, 0}, /* no such instruction */
    {CFA_nop, BYTES(CFA_nop), FUNCTION_SIZE, 0, 0},
};

static void put(uint8_t **to, const void *bytes, size_t len)
{
    memcpy(*to, bytes, len);
    *to += len;
}

static void put_word(uint8_t **to, uint32_t word)
{
    put(to, &word, sizeof word);
}

static void put_frame(struct elf *elf, const struct row *row)
{
    static const uint8_t cie[] = {3, 0, CODE_ALIGNMENT, FACTOR_NEGATIVE_4, RA}; /* version 3 */
    uint8_t *to = elf->frame;
    put_word(&to, 4 + sizeof cie + sizeof initial);
    put_word(&to, UINT32_MAX);
    put(&to, cie, sizeof cie);
    put(&to, initial, sizeof initial);
    put_word(&to, 12 + row->len);
    put_word(&to, 0); /* the CIE's place */
    put_word(&to, TEXT);
    put_word(&to, FUNCTION_SIZE);
    put(&to, row->bytes, row->len);
    elf->sh[1].sh_size = (uint32_t)(to - elf->frame);
}

static struct elf elf_of(const struct row *row)
{
    struct elf elf = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_RISCV,
                   .e_version = EV_CURRENT,
                   .e_entry = TEXT,
                   .e_phoff = offsetof(struct elf, ph),
                   .e_phentsize = sizeof(Elf32_Phdr),
                   .e_phnum = 1,
                   .e_shoff = offsetof(struct elf, sh),
                   .e_shentsize = sizeof(Elf32_Shdr),
                   .e_shnum = 3,
                   .e_shstrndx = 2},
        .ph = {PT_LOAD, offsetof(struct elf, text), TEXT, TEXT, 4, 4, PF_R | PF_X, 4},
        .sh = {{0},
               {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = offsetof(struct elf, frame)},
               {.sh_type = SHT_STRTAB,
                .sh_offset = offsetof(struct elf, names),
                .sh_size = sizeof elf.names}},
        .names = "\0.debug_frame",
    };
    put_frame(&elf, row);
    return elf;
}

static bool read_word(void *context, uint32_t address, uint32_t *ret_word)
{
    (void)context;
    *ret_word = WORD(address);
    return address < UNREADABLE;
}

static struct unwind_registers registers_of_callee(void)
{
    struct unwind_registers r = {.pc = TEXT};
    for (uint32_t i = 0; i < 32; i++) {
        r.x[i] = X(i);
    }
    return r;
}

static bool step(const struct row *row, uint32_t work, struct unwind_registers *registers)
{
    struct elf elf = elf_of(row);
    struct image image;
    assert_int_equal(image_parse(span_of(&elf, sizeof elf), IMAGE_ELF, &image, NULL), 0);
    struct unwind u = {.image = &image, .read = read_word, .work_left = work};
    *registers = registers_of_callee();
    bool is_known = unwind_step(&u, TEXT + row->at, registers);
    image_deinit(&image);
    return is_known;
}

TEST(unwind, applies_every_instruction)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct unwind_registers r;
        assert_true(step(row, UNWIND_WORK_MAX, &r));
        uint32_t got = row->reg == PC ? r.pc : r.x[row->reg];
        if (got != row->want) {
            print_error("row %zu (code 0x%02x), x%u: 0x%x, not 0x%x\n", i, row->of, row->reg, got,
                        row->want);
        }
        assert_int_equal(got, row->want);
    }
}

TEST(unwind, has_a_row_here_for_each_instruction)
{
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        bool is_there = false;
        for (size_t n = 0; n < ARRAY_COUNT(rows); n++) {
            is_there |= rows[n].of == codes[i];
        }
        if (!is_there) {
            print_error("no row for code 0x%02x of cfa.def\n", codes[i]);
        }
        assert_true(is_there);
    }
}

TEST(unwind, believes_nothing_of_a_stranger)
{
    const struct unwind_registers before = registers_of_callee();
    for (size_t i = 0; i < ARRAY_COUNT(strangers); i++) {
        struct unwind_registers r;
        if (step(&strangers[i], UNWIND_WORK_MAX, &r)) {
            print_error("row %zu (code 0x%02x) is followed\n", i, strangers[i].of);
            assert_true(false);
        }
        assert_memory_equal(&r, &before, sizeof r);
    }
}

TEST(unwind, ends_when_its_work_is_done)
{
    struct unwind_registers r;
    const uint32_t entries = 2, instructions = 3 + 2; /* of the CIE and of the first row */
    assert_true(step(&rows[0], entries + instructions + 1, &r));
    assert_false(step(&rows[0], entries + instructions, &r));
}
