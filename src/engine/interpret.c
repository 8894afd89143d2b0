/* interpret.c - tier 0: predecoded, threaded, generated from rv32.def */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include "isa/semantics.h"

/* Handler 0 decodes. Then each row of the table twice: as a 4-byte and as a 2-byte instruction, so
 * that its length is a constant; `jal x0, 0` has a handler of its own; then the pairs. */
enum {
    HANDLER_DECODE,
    HANDLER_WORD = 1,
    HANDLER_HALF = HANDLER_WORD + OP_COUNT,
    HANDLER_SELF_JUMP = HANDLER_HALF + OP_COUNT,
#define FUSE(kind, name, size, next_kind, next_name, next_size) \
    HANDLER_##name##size##_##next_name##next_size,
#include "engine/fuse.def"
#undef FUSE
    HANDLER_COUNT
};

static const struct pair {
    uint16_t first;
    uint16_t second;
    uint16_t both;
} pairs[] = {
#define FUSE(kind, name, size, next_kind, next_name, next_size)              \
    {HANDLER_OF_##size + OP_##name, HANDLER_OF_##next_size + OP_##next_name, \
     HANDLER_##name##size##_##next_name##next_size},
#define HANDLER_OF_4 HANDLER_WORD
#define HANDLER_OF_2 HANDLER_HALF
#include "engine/fuse.def"
#undef FUSE
};

/* What a row says, under names that the handlers of single instructions and of pairs share. */
#define FORMAT(name, rd, rs1, rs2, immediate, operands) enum { HAS_RS2_FORMAT_##name = (rs2) };
#include "isa/format.def"
#undef FORMAT
#define STATE_ALU(name, semantics)                                                             \
    static inline uint32_t alu_##name(UNUSED uint32_t a, UNUSED uint32_t b, UNUSED uint32_t i, \
                                      UNUSED uint32_t pc)                                      \
    {                                                                                          \
        return (uint32_t)(semantics);                                                          \
    }
#define STATE_BRANCH(name, condition)                          \
    static inline bool is_taken_##name(uint32_t a, uint32_t b) \
    {                                                          \
        return condition;                                      \
    }
#define STATE_LOAD(name, type)  typedef type loaded_##name;
#define STATE_STORE(name, type) typedef type stored_##name;
#define STATE_JUMP(name, target)
#define STATE_AMO(name, semantics)
#define STATE_CSR(name, semantics)
#define STATE_SYSTEM(name, unused)
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    enum { HAS_RS2_##name = HAS_RS2_FORMAT_##format };                    \
    STATE_##kind(name, semantics)
#include "isa/rv32.def"
#undef INSN

enum kind {
    KIND_ALU,
    KIND_LOAD,
    KIND_STORE,
    KIND_BRANCH,
    KIND_JUMP,
    KIND_AMO,
    KIND_CSR,
    KIND_SYSTEM
};

static const struct {
    bool has_rs2;
    enum kind kind;
} traits[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {HAS_RS2_##name, KIND_##kind},
#include "isa/rv32.def"
#undef INSN
};

static void mark_decoded(struct hart *h, uint32_t address)
{
    unsigned flags = page_flags(h, address);
    h->access[address / PAGE_SIZE] = (uint8_t)((flags & ~(unsigned)PAGE_WRITE) | PAGE_DECODED);
}

static unsigned handler_of(const struct insn *insn)
{
    if (insn->op == OP_jal && insn->rd == 0 && insn->imm == 0) {
        return HANDLER_SELF_JUMP;
    }
    return (insn->size == 4 ? (unsigned)HANDLER_WORD : (unsigned)HANDLER_HALF) + insn->op;
}

/* Fills the entry of the instruction at `pc`; its handler, or 0 where it cannot be fetched. */
static unsigned fill(struct hart *h, uint32_t pc, struct insn *ret_insn, uint32_t *ret_fault)
{
    uint32_t word;
    if (!fetch(h, pc, &word, ret_fault)) {
        return HANDLER_DECODE;
    }
    struct insn insn;
    bool is_known = isa_decode(word, &insn);
    unsigned handler = handler_of(&insn);
    mark_decoded(h, pc);
    mark_decoded(h, pc + insn.size - 1u);
    struct predecoded *d = &h->code[pc / 2];
    *d = (struct predecoded){
        .handler = (uint16_t)handler,
        .rd = insn.rd ? insn.rd : 32,
        .rs1 = insn.rs1,
        .imm = !is_known           ? (int32_t)word
               : insn.op == OP_jal ? insn.imm / 2
                                   : insn.imm,
    };
    if (traits[insn.op].has_rs2) {
        d->imm16 = (int16_t)(traits[insn.op].kind == KIND_BRANCH ? insn.imm / 2 : insn.imm);
        d->rs2 = insn.rs2;
    }
    *ret_insn = insn;
    return handler;
}

/* The handler of two instructions in a row, or that of the first alone. */
static unsigned fused(unsigned first, unsigned second)
{
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        if (pairs[i].first == first && pairs[i].second == second) {
            return pairs[i].both;
        }
    }
    return first;
}

/* Does control ever pass behind the instruction? What it does not reach may be data. */
static bool falls_through(const struct insn *insn)
{
    return insn->op != OP_illegal && (traits[insn->op].kind != KIND_JUMP || insn->rd != 0);
}

/* Fills the entries from `pc` on, to the end of its page, of the run or to one that is there; false
 * where the first instruction cannot be fetched. */
COLD static bool predecode(struct hart *h, uint32_t pc, uint32_t *ret_fault)
{
    struct insn insn;
    uint32_t unused;
    unsigned first = fill(h, pc, &insn, ret_fault);
    if (!first) {
        return false;
    }
    for (uint32_t next = pc + insn.size; falls_through(&insn); next = pc + insn.size) {
        if (next / PAGE_SIZE != pc / PAGE_SIZE || next % PAGE_SIZE + 4 > PAGE_SIZE) {
            break;
        }
        struct predecoded before = h->code[next / 2];
        unsigned second = fill(h, next, &insn, &unused);
        h->code[pc / 2].handler = (uint16_t)fused(first, second);
        if (before.handler != HANDLER_DECODE) {
            h->code[next / 2] = before; /* fused with what comes behind it already */
            break;
        }
        pc = next;
        first = second;
    }
    return true;
}

/* Reads the CSR of a Zicsr instruction (9.1); false where it does not exist, or where a write that
 * would follow is not allowed. */
static bool csr_begin(struct hart *h, const struct predecoded *d, bool is_write, uint32_t *ret_old)
{
    uint32_t number = (uint32_t)d->imm;
    return hart_csr_read(h, number, ret_old) && !(is_write && number >= 0xc00);
}

#define PC() ((uint32_t)((d - code) * 2))
/* The order at each boundary is: cap, interrupt, fetch. */
#define DISPATCH()                  \
    do {                            \
        if (unlikely(--left < 0)) { \
            goto limit;             \
        }                           \
        goto *table[d->handler];    \
    } while (0)
#define NEXT(size)       \
    do {                 \
        d += (size) / 2; \
        DISPATCH();      \
    } while (0)
/* Before a cold path: it sees pc, and the meter as of before this instruction. */
#define SAVE() (h->pc = PC(), h->cycles = limit - (uint64_t)left - 1)
#define AFTER(step_expression, size)        \
    do {                                    \
        enum step step = (step_expression); \
        if (unlikely(step != STEP_NEXT)) {  \
            length = size;                  \
            outcome = step;                 \
            goto not_next;                  \
        }                                   \
    } while (0)

/* What an instruction does. Control falls out behind it where it neither trapped nor jumped; but a
 * slow access may have changed the code that follows, so it goes on by the next entry. */
#define DO_ALU(name, size)                                           \
    {                                                                \
        uint32_t b = HAS_RS2_##name ? x[d->rs2] : 0u;                \
        x[d->rd] = alu_##name(x[d->rs1], b, (uint32_t)d->imm, PC()); \
    }
#define DO_LOAD(name, size)                                                             \
    {                                                                                   \
        uint32_t address = x[d->rs1] + (uint32_t)d->imm;                                \
        if (unlikely((!(access[address / PAGE_SIZE] & PAGE_READ)) |                     \
                     (address & (sizeof(loaded_##name) - 1)))) {                        \
            uint32_t value = 0;                                                         \
            SAVE();                                                                     \
            enum step loaded = load_slow(h, address, sizeof(loaded_##name), &value);    \
            x[d->rd] = loaded == STEP_TRAP ? x[d->rd] : (uint32_t)(loaded_##name)value; \
            AFTER(loaded, size);                                                        \
            NEXT(size);                                                                 \
        }                                                                               \
        x[d->rd] = (uint32_t) * (const loaded_##name *)(memory + address);              \
    }
#define DO_STORE(name, size)                                                       \
    {                                                                              \
        int32_t offset = d->imm16;                                                 \
        uint32_t address = x[d->rs1] + (uint32_t)offset;                           \
        if (unlikely((!(access[address / PAGE_SIZE] & PAGE_WRITE)) |               \
                     (address & (sizeof(stored_##name) - 1)))) {                   \
            SAVE();                                                                \
            AFTER(store_slow(h, address, sizeof(stored_##name), x[d->rs2]), size); \
            NEXT(size);                                                            \
        }                                                                          \
        *(stored_##name *)(memory + address) = (stored_##name)x[d->rs2];           \
        dirty[address / PAGE_SIZE] = 1;                                            \
    }
#define DO_BRANCH(name, size)                    \
    if (is_taken_##name(x[d->rs1], x[d->rs2])) { \
        d += d->imm16;                           \
        DISPATCH();                              \
    }

#define RUN_ALU(name, size, unused)    DO_ALU(name, size) NEXT(size);
#define RUN_LOAD(name, size, unused)   DO_LOAD(name, size) NEXT(size);
#define RUN_STORE(name, size, unused)  DO_STORE(name, size) NEXT(size);
#define RUN_BRANCH(name, size, unused) DO_BRANCH(name, size) NEXT(size);
/* On to the second instruction of a pair: the cap is looked at between them as ever. */
#define STEP(size)              \
    d += (size) / 2;            \
    if (unlikely(--left < 0)) { \
        goto limit;             \
    }
#define RUN_JUMP(name, size, target) RUN_JUMP_##name(size)
#define RUN_JUMP_jal(size)        \
    {                             \
        x[d->rd] = PC() + (size); \
        d += d->imm;              \
        DISPATCH();               \
    }
#define RUN_JUMP_jalr(size)                                     \
    {                                                           \
        uint32_t target = (x[d->rs1] + (uint32_t)d->imm) & ~1u; \
        x[d->rd] = PC() + (size);                               \
        d = code + target / 2;                                  \
        DISPATCH();                                             \
    }
#define RUN_AMO(name, size, semantics)                       \
    {                                                        \
        uint32_t address = x[d->rs1], b = x[d->rs2], m;      \
        SAVE();                                              \
        AFTER(amo_check(h, address), size);                  \
        m = *(const uint32_t *)(memory + address);           \
        x[d->rd] = m;                                        \
        AFTER(store_slow(h, address, 4, (semantics)), size); \
        NEXT(size);                                          \
    }
/* csrrw always writes; the others where rs1's field is not 0 (9.1, table 9.1). */
#define RUN_CSR(name, size, semantics)                                             \
    {                                                                              \
        bool is_immediate = OP_##name >= OP_csrrwi;                                \
        bool is_write = OP_##name == OP_csrrw || OP_##name == OP_csrrwi || d->rs1; \
        UNUSED uint32_t m, b = is_immediate ? d->rs1 : x[d->rs1];                  \
        SAVE();                                                                    \
        if (unlikely(!csr_begin(h, d, is_write, &m))) {                            \
            AFTER(trap_take(h, CAUSE_ILLEGAL, bits_at(h, h->pc)), size);           \
        }                                                                          \
        if (is_write && !hart_csr_write(h, (uint32_t)d->imm, (semantics))) {       \
            AFTER(trap_take(h, CAUSE_ILLEGAL, bits_at(h, h->pc)), size);           \
        }                                                                          \
        x[d->rd] = m;                                                              \
        NEXT(size);                                                                \
    }
#define RUN_SYSTEM(name, size, unused) RUN_##name(size)
#define RUN_fence(size) \
    {                   \
        NEXT(size);     \
    }
#define RUN_fence_i(size) RUN_fence(size)
#define RUN_ecall(size)                              \
    {                                                \
        SAVE();                                      \
        AFTER(trap_take(h, CAUSE_ECALL_M, 0), size); \
        NEXT(size);                                  \
    }
#define RUN_ebreak(size)                         \
    {                                            \
        SAVE();                                  \
        enum step called = break_or_call(h);     \
        left = (int64_t)(limit - h->cycles) - 1; \
        AFTER(called, size);                     \
        NEXT(size);                              \
    }
#define RUN_mret(size)        \
    {                         \
        hart_mret(h);         \
        d = code + h->pc / 2; \
        DISPATCH();           \
    }
#define RUN_wfi(size)     \
    {                     \
        d += (size) / 2;  \
        exit = HART_WAIT; \
        goto leave;       \
    }
#define RUN_lr_w(size)                                    \
    {                                                     \
        uint32_t value;                                   \
        SAVE();                                           \
        AFTER(load_reserved(h, x[d->rs1], &value), size); \
        x[d->rd] = value;                                 \
        NEXT(size);                                       \
    }
/* Its own store may drop the predecoded instruction, so rd is read before. */
#define RUN_sc_w(size)                                                         \
    {                                                                          \
        uint32_t rd = d->rd;                                                   \
        uint32_t failed = 0;                                                   \
        SAVE();                                                                \
        enum step tried = store_conditional(h, x[d->rs1], x[d->rs2], &failed); \
        x[rd] = tried == STEP_TRAP ? x[rd] : failed;                           \
        AFTER(tried, size);                                                    \
        NEXT(size);                                                            \
    }

/* The one long function: generated from the table, a handler a row. */
static enum hart_exit interpret(struct hart *h, uint64_t limit)
{
    static const void *const handlers[HANDLER_COUNT] = {
        [HANDLER_DECODE] = &&decode,
        [HANDLER_WORD + OP_illegal] = &&illegal,
        [HANDLER_HALF + OP_illegal] = &&illegal,
        [HANDLER_SELF_JUMP] = &&self_jump,
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [HANDLER_WORD + OP_##name] = &&word_##name, [HANDLER_HALF + OP_##name] = &&half_##name,
#include "isa/rv32.def"
#undef INSN
#define FUSE(kind, name, size, next_kind, next_name, next_size) \
    [HANDLER_##name##size##_##next_name##next_size] = &&pair_##name##size##_##next_name##next_size,
#include "engine/fuse.def"
#undef FUSE
    };
    const void *const *table = handlers;
    __asm__("" : "+r"(table)); /* keeps the address in a register: else it is formed at each jump */
    uint32_t *const x = h->x;
    uint8_t *const memory = h->memory;
    const uint8_t *const access = h->access;
    uint8_t *const dirty = h->dirty;
    struct predecoded *const code = h->code;
    const struct predecoded *d = code + h->pc / 2;
    int64_t left = (int64_t)(limit - h->cycles);
    enum hart_exit exit = HART_LIMIT;
    enum step outcome = STEP_TRAP;
    unsigned length = 0;

    DISPATCH();

#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    word_##name : RUN_##kind(name, 4, semantics) half_##name : RUN_##kind(name, 2, semantics)
#include "isa/rv32.def"
#undef INSN

#define FUSE(kind, name, size, next_kind, next_name, next_size)                   \
    pair_##name##size##_##next_name##next_size : DO_##kind(name, size) STEP(size) \
                                                     RUN_##next_kind(next_name, next_size, )
#include "engine/fuse.def"
#undef FUSE

decode : {
    uint32_t pc = PC();
    uint32_t fault;
    d = code + pc / 2; /* a branch may have wrapped round the address space */
    if (!predecode(h, pc, &fault)) {
        SAVE();
        AFTER(trap_take(h, CAUSE_FETCH_FAULT, fault), 0);
    }
    goto *table[d->handler];
}
illegal:
    SAVE();
    AFTER(trap_take(h, CAUSE_ILLEGAL, (uint32_t)d->imm), 0);
not_next:
    if (outcome == STEP_STOP) {
        d += length / 2;
        exit = HART_STOP;
        goto leave;
    }
    h->cycles = limit - (uint64_t)left;
    return HART_LIMIT;
self_jump:
    exit = HART_SELF_JUMP;
    left++; /* it does not retire */
    goto leave;
limit:
    left++;
leave:
    h->pc = PC();
    h->cycles = limit - (uint64_t)left;
    return exit;
}

/* Is there a handler for the trap just taken, and can its first instruction be fetched? */
static bool can_enter(struct hart *h)
{
    uint32_t word;
    uint32_t fault;
    return h->pc != 0 && fetch(h, h->pc, &word, &fault);
}

enum hart_exit hart_run(struct hart *h, uint64_t limit)
{
    enum hart_exit exit;
    do {
        if (h->cycles >= limit) {
            return HART_LIMIT;
        }
        if (h->is_entering && !can_enter(h)) {
            return HART_DOUBLE_TRAP;
        }
        h->is_entering = false;
        exit = interpret(h, limit);
    } while (exit == HART_LIMIT);
    return exit;
}
