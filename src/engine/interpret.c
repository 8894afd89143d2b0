/* interpret.c - tier 0: predecoded, threaded, generated from rv32.def */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include "isa/semantics.h"
#include <assert.h>

/* Handler 0 decodes. Then each row of the table twice: as a 4-byte and as a 2-byte instruction, so
 * that its length is a constant; `jal x0, 0` has a handler of its own. */
enum {
    HANDLER_DECODE,
    HANDLER_WORD = 1,
    HANDLER_HALF = HANDLER_WORD + OP_COUNT,
    HANDLER_SELF_JUMP = HANDLER_HALF + OP_COUNT,
    HANDLER_COUNT
};
static_assert(HANDLER_COUNT <= 256, "handler numbers are bytes");

static bool is_relative(unsigned op)
{
    switch (op) {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    case OP_##name:                                                       \
        return IS_RELATIVE_##kind;
#define IS_RELATIVE_ALU    false
#define IS_RELATIVE_LOAD   false
#define IS_RELATIVE_STORE  false
#define IS_RELATIVE_BRANCH true
#define IS_RELATIVE_JUMP   (OP_jal == op)
#define IS_RELATIVE_AMO    false
#define IS_RELATIVE_CSR    false
#define IS_RELATIVE_SYSTEM false
#include "isa/rv32.def"
#undef INSN
    default:
        return false;
    }
}

static void mark_decoded(struct hart *h, uint32_t address)
{
    unsigned flags = page_flags(h, address);
    h->access[address / PAGE_SIZE] = (uint8_t)((flags & ~(unsigned)PAGE_WRITE) | PAGE_DECODED);
}

/* Fills the entry of the instruction at `pc`; false where it cannot be fetched. */
COLD static bool predecode(struct hart *h, uint32_t pc, uint32_t *ret_fault)
{
    uint32_t word;
    if (!fetch(h, pc, &word, ret_fault)) {
        return false;
    }
    struct insn insn;
    bool is_known = isa_decode(word, &insn);
    mark_decoded(h, pc);
    mark_decoded(h, pc + insn.size - 1u);
    int32_t imm = !is_known ? (int32_t)word : is_relative(insn.op) ? insn.imm / 2 : insn.imm;
    unsigned handler = (insn.size == 4 ? (unsigned)HANDLER_WORD : (unsigned)HANDLER_HALF) + insn.op;
    if (insn.op == OP_jal && insn.rd == 0 && insn.imm == 0) {
        handler = HANDLER_SELF_JUMP;
    }
    h->code[pc / 2] = (struct predecoded){
        .handler = (uint8_t)handler,
        .rd = insn.rd ? insn.rd : 32,
        .rs1 = insn.rs1,
        .rs2 = insn.rs2,
        .imm = imm,
    };
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
        goto *handlers[d->handler]; \
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

#define RUN_ALU(name, size, semantics)                                                 \
    {                                                                                  \
        UNUSED uint32_t a = x[d->rs1], b = x[d->rs2], i = (uint32_t)d->imm, pc = PC(); \
        x[d->rd] = (uint32_t)(semantics);                                              \
        NEXT(size);                                                                    \
    }
#define RUN_LOAD(name, size, type)                                    \
    {                                                                 \
        uint32_t address = x[d->rs1] + (uint32_t)d->imm;              \
        if (unlikely((!(access[address / PAGE_SIZE] & PAGE_READ)) |   \
                     (address & (sizeof(type) - 1)))) {               \
            uint32_t value;                                           \
            SAVE();                                                   \
            AFTER(load_slow(h, address, sizeof(type), &value), size); \
            x[d->rd] = (uint32_t)(type)value;                         \
        } else {                                                      \
            x[d->rd] = (uint32_t) * (const type *)(memory + address); \
        }                                                             \
        NEXT(size);                                                   \
    }
#define RUN_STORE(name, size, type)                                       \
    {                                                                     \
        uint32_t address = x[d->rs1] + (uint32_t)d->imm;                  \
        if (unlikely((!(access[address / PAGE_SIZE] & PAGE_WRITE)) |      \
                     (address & (sizeof(type) - 1)))) {                   \
            SAVE();                                                       \
            AFTER(store_slow(h, address, sizeof(type), x[d->rs2]), size); \
        } else {                                                          \
            *(type *)(memory + address) = (type)x[d->rs2];                \
            dirty[address / PAGE_SIZE] = 1;                               \
        }                                                                 \
        NEXT(size);                                                       \
    }
#define RUN_BRANCH(name, size, condition)      \
    {                                          \
        uint32_t a = x[d->rs1], b = x[d->rs2]; \
        if (condition) {                       \
            d += d->imm;                       \
            DISPATCH();                        \
        }                                      \
        NEXT(size);                            \
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
#define RUN_sc_w(size)                                                    \
    {                                                                     \
        uint32_t failed;                                                  \
        SAVE();                                                           \
        AFTER(store_conditional(h, x[d->rs1], x[d->rs2], &failed), size); \
        x[d->rd] = failed;                                                \
        NEXT(size);                                                       \
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
    };
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

decode : {
    uint32_t pc = PC();
    uint32_t fault;
    d = code + pc / 2; /* a branch may have wrapped round the address space */
    if (!predecode(h, pc, &fault)) {
        SAVE();
        AFTER(trap_take(h, CAUSE_FETCH_FAULT, fault), 0);
    }
    goto *handlers[d->handler];
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
