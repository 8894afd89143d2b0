/* unwind.c - finds a function's call frame entry, runs its instructions, applies the rules */
/* SPDX-License-Identifier: MIT */
#include "machine/unwind.h"

/* Bounds of one entry: compilers stay far below. */
enum { REMEMBERED_MAX = 8, AUGMENTATION_MAX = 8, LEB_BYTES_MAX = 10, X_SP = 2 };

/* ---- bytes, of which there may be too few */

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad; /* something was not there */
};

static uint64_t read_number(struct cursor *c, unsigned size)
{
    uint64_t value = 0;
    if ((size_t)(c->end - c->at) < size) {
        c->is_bad = true;
        c->at = c->end;
        return 0;
    }
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)c->at[i] << (8 * i);
    }
    c->at += size;
    return value;
}

static uint8_t read_byte(struct cursor *c)
{
    return (uint8_t)read_number(c, 1);
}

static uint32_t read_word(struct cursor *c)
{
    return (uint32_t)read_number(c, 4);
}

/* LEB128, 7.6; what does not fit into 64 bits is dropped. */
static int64_t read_leb(struct cursor *c, bool is_signed)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < LEB_BYTES_MAX; i++) {
        uint8_t byte = read_byte(c);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            bool is_negative = is_signed && (byte & 0x40) != 0 && i < LEB_BYTES_MAX - 1;
            return (int64_t)(is_negative ? value | UINT64_MAX << (7 * i + 7) : value);
        }
    }
    c->is_bad = true;
    return 0;
}

static uint32_t read_unsigned(struct cursor *c)
{
    return (uint32_t)read_leb(c, false);
}

static void skip(struct cursor *c, uint64_t len)
{
    if (len > (size_t)(c->end - c->at)) {
        c->is_bad = true;
        len = (uint64_t)(c->end - c->at);
    }
    c->at += len;
}

/* ---- entries */

struct section {
    struct span bytes;
    uint32_t address; /* where it is loaded, for .eh_frame's distances */
    bool is_eh;
};

struct entry {
    struct cursor rest; /* behind length and id */
    uint32_t id;
    size_t id_at; /* in the section */
};

/* Common information entry, 6.4.1. */
struct cie {
    uint32_t code_alignment;
    int32_t data_alignment;
    uint32_t return_column;
    uint8_t encoding; /* of addresses in its FDEs (LSB 5.0, 10.5.1) */
    bool has_size;    /* its FDEs have augmentation data */
    struct cursor instructions;
};

/* Frame description entry: one function. */
struct fde {
    struct cie cie;
    uint32_t begin;
    uint32_t size;
    struct cursor instructions;
};

enum { POINTER_ABSOLUTE = 0x00, POINTER_U4 = 0x03, POINTER_S4 = 0x0b, POINTER_RELATIVE = 0x10 };

/* The entry at `at`, and where the next begins. False at the end, or at what is not understood (of
 * 64-bit DWARF, which no RV32 compiler writes). */
static bool read_entry(const struct section *s, size_t at, struct entry *ret_entry,
                       size_t *ret_next)
{
    if (at > s->bytes.len) {
        return false;
    }
    struct cursor c = {s->bytes.data + at, s->bytes.data + s->bytes.len, false};
    uint32_t len = read_word(&c);
    if (c.is_bad || len < 4 || len > (size_t)(c.end - c.at)) {
        return false;
    }
    c.end = c.at + len;
    *ret_next = at + 4 + len;
    ret_entry->id_at = at + 4;
    ret_entry->id = read_word(&c);
    ret_entry->rest = c;
    return true;
}

static bool is_cie(const struct section *s, const struct entry *entry)
{
    return entry->id == (s->is_eh ? 0 : UINT32_MAX);
}

/* `z` begins it, then a letter for each thing in the data; an unknown one ends what is known. */
static bool read_augmentation(struct cursor *c, const char *letters, struct cie *cie)
{
    if (letters[0] == 0) {
        return true;
    }
    if (letters[0] != 'z') {
        return false;
    }
    cie->has_size = true;
    uint32_t len = read_unsigned(c);
    struct cursor data = *c;
    skip(c, len);
    for (const char *letter = letters + 1; *letter; letter++) {
        if (*letter == 'R') {
            cie->encoding = read_byte(&data);
        } else if (*letter == 'L') {
            skip(&data, 1);
        } else if (*letter == 'P') {
            skip(&data, 1 + 4);
        } else if (*letter != 'S') {
            return false;
        }
    }
    return !c->is_bad && !data.is_bad;
}

static bool read_cie(const struct section *s, size_t at, struct cie *ret_cie)
{
    struct entry entry;
    size_t next;
    if (!read_entry(s, at, &entry, &next) || !is_cie(s, &entry)) {
        return false;
    }
    struct cursor *c = &entry.rest;
    struct cie cie = {.code_alignment = 0};
    uint8_t version = read_byte(c);
    const char *letters = (const char *)c->at;
    size_t room = (size_t)(c->end - c->at);
    const uint8_t *end = memchr(c->at, 0, room < AUGMENTATION_MAX ? room : AUGMENTATION_MAX);
    if (!end || (version != 1 && version != 3 && version != 4)) {
        return false;
    }
    c->at = end + 1;
    if (version == 4 && read_number(c, 2) != 4) { /* addresses of 4 bytes, no segments */
        return false;
    }
    cie.code_alignment = read_unsigned(c);
    cie.data_alignment = (int32_t)read_leb(c, true);
    cie.return_column = version == 1 ? read_byte(c) : read_unsigned(c);
    if (!read_augmentation(c, letters, &cie) || c->is_bad || cie.return_column >= 32) {
        return false;
    }
    cie.instructions = *c;
    *ret_cie = cie;
    return true;
}

/* An address as .eh_frame encodes it; others than these are for programs with relocations. */
static bool read_pointer(const struct section *s, struct cursor *c, uint8_t encoding,
                         uint32_t *ret_address)
{
    uint8_t form = encoding & 0x0f;
    uint8_t base = encoding & 0xf0;
    uint32_t here = s->address + (uint32_t)(c->at - s->bytes.data);
    if ((form != POINTER_ABSOLUTE && form != POINTER_U4 && form != POINTER_S4) ||
        (base != 0 && base != POINTER_RELATIVE)) {
        return false;
    }
    *ret_address = read_word(c) + (base ? here : 0);
    return !c->is_bad;
}

static bool read_fde(const struct section *s, const struct entry *entry, struct fde *ret_fde)
{
    size_t cie_at = s->is_eh ? entry->id_at - entry->id : entry->id;
    struct fde fde;
    struct cursor c = entry->rest;
    if (!read_cie(s, cie_at, &fde.cie) || !read_pointer(s, &c, fde.cie.encoding, &fde.begin)) {
        return false;
    }
    fde.size = read_word(&c);
    if (fde.cie.has_size) {
        skip(&c, read_unsigned(&c));
    }
    fde.instructions = c;
    *ret_fde = fde;
    return !c.is_bad;
}

static bool is_work_left(struct unwind *u)
{
    u->work_left -= u->work_left > 0;
    return u->work_left > 0;
}

static bool find_fde(struct unwind *u, const struct section *s, uint32_t address,
                     struct fde *ret_fde)
{
    struct entry entry;
    size_t next;
    for (size_t at = 0; read_entry(s, at, &entry, &next); at = next) {
        if (!is_work_left(u)) {
            return false;
        }
        if (!is_cie(s, &entry) && read_fde(s, &entry, ret_fde) &&
            address - ret_fde->begin < ret_fde->size) {
            return true;
        }
    }
    return false;
}

/* ---- instructions: a table of rules, built row by row up to the one for an address (6.4.1) */

enum rule_kind {
    RULE_SAME, /* as it is */
    RULE_UNDEFINED,
    RULE_AT,    /* in memory at CFA + value */
    RULE_VALUE, /* CFA + value */
    RULE_REGISTER,
};

struct rule {
    enum rule_kind kind;
    int32_t value;
};

struct row {
    bool has_cfa; /* it is cfa_register + cfa_offset */
    uint32_t cfa_register;
    int32_t cfa_offset;
    struct rule registers[32];
};

struct table {
    struct cie cie;
    struct row row;
    struct row initial;
    struct row remembered[REMEMBERED_MAX];
    unsigned remembered_count;
    uint32_t location;
    uint32_t address; /* whose row is wanted */
};

enum cfa {
#define CFA(name, code, first, second) CFA_##name,
#include "machine/cfa.def"
#undef CFA
    CFA_COUNT
};

enum operand {
    OPERAND_NONE,
    OPERAND_REG,
    OPERAND_U,
    OPERAND_S,
    OPERAND_FU,
    OPERAND_FS,
    OPERAND_D1,
    OPERAND_D2,
    OPERAND_D4,
    OPERAND_ADDRESS,
    OPERAND_BLOCK,
    OPERAND_LOW,
    OPERAND_LOWREG,
};

static const struct {
    uint8_t code;
    enum operand first;
    enum operand second;
} instructions[CFA_COUNT] = {
#define CFA(name, code, first, second) [CFA_##name] = {code, OPERAND_##first, OPERAND_##second},
#include "machine/cfa.def"
#undef CFA
};

/* Products wrap, as addresses do. */
static int32_t read_operand(const struct table *t, struct cursor *c, enum operand operand,
                            uint8_t low)
{
    uint32_t code = t->cie.code_alignment;
    uint32_t data = (uint32_t)t->cie.data_alignment;
    switch (operand) {
    case OPERAND_NONE:
        return 0;
    case OPERAND_REG:
    case OPERAND_U:
        return (int32_t)read_unsigned(c);
    case OPERAND_S:
        return (int32_t)read_leb(c, true);
    case OPERAND_FU:
        return (int32_t)(read_unsigned(c) * data);
    case OPERAND_FS:
        return (int32_t)((uint32_t)read_leb(c, true) * data);
    case OPERAND_D1:
        return (int32_t)(read_byte(c) * code);
    case OPERAND_D2:
        return (int32_t)((uint32_t)read_number(c, 2) * code);
    case OPERAND_D4:
        return (int32_t)(read_word(c) * code);
    case OPERAND_ADDRESS:
        return (int32_t)read_word(c);
    case OPERAND_BLOCK:
        skip(c, (uint64_t)read_leb(c, false));
        return 0;
    case OPERAND_LOW:
        return (int32_t)(low * code);
    case OPERAND_LOWREG:
        return low;
    }
    check(false);
}

static bool find_instruction(uint8_t byte, enum cfa *ret_cfa)
{
    uint8_t code = byte & 0xc0 ? byte & 0xc0 : byte;
    for (enum cfa i = 0; i < CFA_COUNT; i++) {
        if (instructions[i].code == code) {
            *ret_cfa = i;
            return true;
        }
    }
    return false;
}

/* Rules of registers beyond x31 (those of floating point) are not needed. */
static void set_rule(struct table *t, int32_t number, enum rule_kind kind, int32_t value)
{
    if ((uint32_t)number < 32) {
        t->row.registers[number] = (struct rule){kind, value};
    }
}

static void restore(struct table *t, int32_t number)
{
    if ((uint32_t)number < 32) {
        t->row.registers[number] = t->initial.registers[number];
    }
}

static bool set_cfa(struct table *t, uint32_t number, int32_t offset)
{
    t->row.has_cfa = number < 32;
    t->row.cfa_register = number;
    t->row.cfa_offset = offset;
    return t->row.has_cfa;
}

/* False where it cannot be. */
static bool remember(struct table *t, bool is_push)
{
    if (is_push ? t->remembered_count == REMEMBERED_MAX : t->remembered_count == 0) {
        return false;
    }
    if (is_push) {
        t->remembered[t->remembered_count++] = t->row;
    } else {
        t->row = t->remembered[--t->remembered_count];
    }
    return true;
}

/* Those that say where registers are. */
static void apply_rule(struct table *t, enum cfa cfa, int32_t a, int32_t b)
{
    switch (cfa) {
    case CFA_offset:
    case CFA_offset_extended:
    case CFA_offset_extended_sf:
        set_rule(t, a, RULE_AT, b);
        break;
    case CFA_val_offset:
    case CFA_val_offset_sf:
        set_rule(t, a, RULE_VALUE, b);
        break;
    case CFA_restore:
    case CFA_restore_extended:
        restore(t, a);
        break;
    case CFA_same_value:
        set_rule(t, a, RULE_SAME, 0);
        break;
    case CFA_register:
        set_rule(t, a, (uint32_t)b < 32 ? RULE_REGISTER : RULE_UNDEFINED, b);
        break;
    case CFA_undefined:
    case CFA_expression: /* an expression is as good as no rule: nobody computes it */
    case CFA_val_expression:
        set_rule(t, a, RULE_UNDEFINED, 0);
        break;
    default:
        break;
    }
}

/* False where the program is broken. */
static bool apply(struct table *t, enum cfa cfa, int32_t a, int32_t b)
{
    switch (cfa) {
    case CFA_advance_loc:
    case CFA_advance_loc1:
    case CFA_advance_loc2:
    case CFA_advance_loc4:
        t->location += (uint32_t)a;
        return true;
    case CFA_set_loc:
        t->location = (uint32_t)a;
        return true;
    case CFA_remember_state:
    case CFA_restore_state:
        return remember(t, cfa == CFA_remember_state);
    case CFA_def_cfa:
    case CFA_def_cfa_sf:
        return set_cfa(t, (uint32_t)a, b);
    case CFA_def_cfa_register:
        return t->row.has_cfa && set_cfa(t, (uint32_t)a, t->row.cfa_offset);
    case CFA_def_cfa_offset:
    case CFA_def_cfa_offset_sf:
        return t->row.has_cfa && set_cfa(t, t->row.cfa_register, a);
    case CFA_def_cfa_expression:
        t->row.has_cfa = false;
        return true;
    default:
        apply_rule(t, cfa, a, b);
        return true;
    }
}

/* Runs instructions to the end, or until the next row would be behind the address. */
static bool run(struct unwind *u, struct table *t, struct cursor c)
{
    while (c.at < c.end) {
        if (!is_work_left(u)) {
            return false;
        }
        uint8_t byte = read_byte(&c);
        enum cfa cfa;
        if (!find_instruction(byte, &cfa)) {
            return false;
        }
        int32_t a = read_operand(t, &c, instructions[cfa].first, byte & 0x3f);
        int32_t b = read_operand(t, &c, instructions[cfa].second, 0);
        if (c.is_bad || !apply(t, cfa, a, b)) {
            return false;
        }
        if (t->location > t->address) {
            return true;
        }
    }
    return true;
}

/* ---- rules applied */

static bool find_value(const struct unwind *u, const struct unwind_registers *old,
                       const struct rule *rule, uint32_t cfa, uint32_t *ret_value)
{
    uint32_t address = cfa + (uint32_t)rule->value;
    switch (rule->kind) {
    case RULE_AT:
        return u->read(u->context, address, ret_value);
    case RULE_VALUE:
        *ret_value = address;
        return true;
    case RULE_REGISTER:
        *ret_value = old->x[rule->value];
        return true;
    default:
        return false;
    }
}

/* What is not known of a caller's registers stays as it is; but where it goes on must be. */
static bool step_row(const struct unwind *u, const struct table *t,
                     struct unwind_registers *registers)
{
    const struct unwind_registers old = *registers;
    struct unwind_registers new = old;
    if (!t->row.has_cfa) {
        return false;
    }
    uint32_t cfa = old.x[t->row.cfa_register] + (uint32_t)t->row.cfa_offset;
    for (uint32_t i = 1; i < 32; i++) {
        const struct rule *rule = &t->row.registers[i];
        bool is_known = rule->kind == RULE_SAME || find_value(u, &old, rule, cfa, &new.x[i]);
        if (!is_known && i == t->cie.return_column) {
            return false;
        }
    }
    new.pc = new.x[t->cie.return_column];
    if (t->row.registers[X_SP].kind == RULE_SAME) {
        new.x[X_SP] = cfa; /* that is how RISC-V defines it */
    }
    *registers = new;
    return true;
}

bool unwind_step(struct unwind *u, uint32_t address, struct unwind_registers *registers)
{
    static const struct {
        const char *name;
        bool is_eh;
    } names[] = {{".debug_frame", false}, {".eh_frame", true}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct section s = {.is_eh = names[i].is_eh};
        struct fde fde;
        s.bytes = image_section(u->image, names[i].name, &s.address);
        if (s.bytes.len == 0 || !find_fde(u, &s, address, &fde)) {
            continue;
        }
        /* GCC's CIE says only which register it is, and leaves the offset at 0. */
        struct table t = {
            .cie = fde.cie, .address = UINT32_MAX, .row = {.has_cfa = true, .cfa_register = X_SP}};
        if (!run(u, &t, fde.cie.instructions)) {
            return false;
        }
        t.initial = t.row;
        t.location = fde.begin;
        t.address = address;
        return run(u, &t, fde.instructions) && step_row(u, &t, registers);
    }
    return false;
}
