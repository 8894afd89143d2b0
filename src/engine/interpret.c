/* interpret.c - tier 0: predecoded, threaded, generated from rv32.def */
/* SPDX-License-Identifier: MIT */
#include "engine/internal.h"

#include "isa/semantics.h"
#include <string.h>

/* What computes has a handler for each form of its operands; the kinds of rows do the same. */
enum {
    FORM_ALU = FORM_ANY,
    FORM_LOAD = FORM_ANY,
    FORM_STORE = FORM_ANY,
    FORM_BRANCH = FORM_ANY,
    FORM_JUMP = FORM_ANY,
    FORM_AMO = FORM_ANY,
    FORM_CSR = FORM_ANY,
    FORM_SYSTEM = FORM_ANY,
};

/* Handler 0 decodes. Then each row of the table in each form, as a 4-byte and as a 2-byte
 * instruction, so that its length is a constant; `jal x0, 0` has a handler of its own; then those
 * that run several instructions. */
#define HANDLER(form, op, size)  (1u + ((form)*2u + ((size) == 2)) * OP_COUNT + (op))
#define SINGLE(kind, name, size) HANDLER(FORM_##kind, OP_##name, size)
enum {
    HANDLER_DECODE,
    HANDLER_SELF_JUMP = HANDLER(FORM_COUNT, 0, 4),
    HANDLER_FUSED,
    HANDLER_FUSED_BEFORE = HANDLER_FUSED - 1,
#define PAIR(k1, n1, s1, k2, n2, s2) HANDLER_##k1##n1##s1##_##k2##n2##s2,
#define TRIPLE(k1, n1, s1, k2, n2, s2, k3, n3, s3) \
    HANDLER_##k1##n1##s1##_##k2##n2##s2##_##k3##n3##s3,
#include "engine/fuse.def"
#undef PAIR
#undef TRIPLE
    HANDLER_COUNT
};

/* What a row says, under names that the handlers of single instructions and of several share. */
#define FORMAT(name, rd, rs1, rs2, immediate, operands) enum { HAS_RS2_FORMAT_##name = (rs2) };
#include "isa/format.def"
#undef FORMAT
enum {
#define FORMAT(name, rd, rs1, rs2, immediate, operands) FORMAT_##name,
#include "isa/format.def"
#undef FORMAT
};
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
#define STATE_JUMP(name, target)                                                            \
    static inline uint32_t target_##name(UNUSED uint32_t a, uint32_t i, UNUSED uint32_t pc) \
    {                                                                                       \
        return target;                                                                      \
    }
#define STATE_AMO(name, semantics)
#define STATE_CSR(name, semantics)
#define STATE_SYSTEM(name, unused)
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    enum {                                                                \
        HAS_RS2_##name = HAS_RS2_FORMAT_##format,                         \
        IS_IMMEDIATE_##name = FORMAT_##format == FORMAT_CSRI              \
    };                                                                    \
    STATE_##kind(name, semantics)
#include "isa/rv32.def"
#undef INSN

static const struct {
    bool has_rs2;
    enum kind kind;
} traits[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {HAS_RS2_##name, KIND_##kind},
#include "isa/rv32.def"
#undef INSN
};

static unsigned handler_of(const struct insn *insn)
{
    if (insn->op == OP_jal && insn->rd == 0 && insn->imm == 0) {
        return HANDLER_SELF_JUMP;
    }
    enum form form = traits[insn->op].kind != KIND_ALU ? FORM_ANY
                     : insn->rs1 == 0                  ? FORM_ZERO
                     : insn->rs1 == insn->rd           ? FORM_SAME
                                                       : FORM_ANY;
    return HANDLER(form, insn->op, insn->size);
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
    view_mark_decoded(h, h->mode, pc);
    view_mark_decoded(h, h->mode, pc + insn.size - 1u);
    struct predecoded *d = &view_of(h, h->mode)->code[pc / 2];
    *d = (struct predecoded){
        .handler = (uint16_t)handler,
        .rd = insn.rd ? insn.rd : 32,
        .rs1 = insn.rs1,
        .imm = is_known ? insn.imm : (int32_t)word,
    };
    if (traits[insn.op].has_rs2) {
        d->imm16 = (int16_t)(traits[insn.op].kind == KIND_BRANCH ? insn.imm / 2 : insn.imm);
        d->rs2 = insn.rs2;
    }
    *ret_insn = insn;
    return handler;
}

/* The handler of what `before` runs and `next` behind it, or `before` where there is none. */
static unsigned fuse(unsigned before, unsigned next)
{
    switch (before * HANDLER_COUNT + next) {
#define CASE(before, next, all)           \
    case (before)*HANDLER_COUNT + (next): \
        return all;
#define PAIR(k1, n1, s1, k2, n2, s2) \
    CASE(SINGLE(k1, n1, s1), SINGLE(k2, n2, s2), HANDLER_##k1##n1##s1##_##k2##n2##s2)
#define TRIPLE(k1, n1, s1, k2, n2, s2, k3, n3, s3)                \
    CASE(HANDLER_##k1##n1##s1##_##k2##n2##s2, SINGLE(k3, n3, s3), \
         HANDLER_##k1##n1##s1##_##k2##n2##s2##_##k3##n3##s3)
#include "engine/fuse.def"
#undef PAIR
#undef TRIPLE
    default:
        return before;
    }
}

/* The handler of the first instruction alone of those that the handler runs. */
static unsigned first_of(unsigned handler)
{
    static const uint16_t firsts[] = {
#define PAIR(k1, n1, s1, k2, n2, s2)               SINGLE(k1, n1, s1),
#define TRIPLE(k1, n1, s1, k2, n2, s2, k3, n3, s3) SINGLE(k1, n1, s1),
#include "engine/fuse.def"
#undef PAIR
#undef TRIPLE
    };
    return handler < HANDLER_FUSED ? handler : firsts[handler - HANDLER_FUSED];
}

/* Does control ever pass behind the instruction? What it does not reach may be data. */
static bool falls_through(const struct insn *insn)
{
    return insn->op != OP_illegal && (traits[insn->op].kind != KIND_JUMP || insn->rd != 0);
}

/* The last entries filled, newest first, that may run the next instruction too; else NULL. */
struct trail {
    struct predecoded *open[FUSED_MAX - 1];
};

/* Takes the instruction of handler `next` into those before it, where the table has that. */
static bool extend(struct trail *t, unsigned next)
{
    bool is_any = false;
    for (unsigned i = 0; i < FUSED_MAX - 1; i++) {
        struct predecoded *before = t->open[i];
        unsigned all = before ? fuse(before->handler, next) : HANDLER_DECODE;
        if (before && all != before->handler) {
            before->handler = (uint16_t)all;
            is_any = true;
        } else {
            t->open[i] = NULL;
        }
    }
    return is_any;
}

static void append(struct trail *t, struct predecoded *entry)
{
    memmove(&t->open[1], &t->open[0], sizeof t->open - sizeof t->open[0]);
    t->open[0] = entry;
}

/* Fills the entries from `pc` on, to the end of its page, of the run or to those that are there;
 * false where the first instruction cannot be fetched. */
COLD static bool predecode(struct hart *h, uint32_t pc, uint32_t *ret_fault)
{
    struct predecoded *code = view_of(h, h->mode)->code;
    struct trail trail = {0};
    struct insn insn;
    uint32_t unused;
    if (!fill(h, pc, &insn, ret_fault)) {
        return false;
    }
    append(&trail, &code[pc / 2]);
    for (uint32_t next = pc + insn.size; falls_through(&insn); next += insn.size) {
        if (next / PAGE_SIZE != pc / PAGE_SIZE || next % PAGE_SIZE + 4 > PAGE_SIZE) {
            break;
        }
        struct predecoded *entry = &code[next / 2];
        struct predecoded before = *entry;
        unsigned handler = fill(h, next, &insn, &unused);
        if (handler == HANDLER_DECODE) { /* the PMP cuts the page */
            break;
        }
        bool is_extended = extend(&trail, handler);
        if (before.handler == HANDLER_DECODE) {
            append(&trail, entry);
            continue;
        }
        *entry = before; /* has taken in what comes behind it already */
        append(&trail, NULL);
        if (!is_extended) {
            break;
        }
    }
    return true;
}

/* `left` is how many instructions may run before the limit, less FUSED_MAX: not below 0, any
 * handler may run; else those of single instructions may. A handler is charged for at its end. */
#define PC()     ((uint32_t)((d - code) * 2))
#define CYCLES() (limit - (uint64_t)(left + FUSED_MAX))
/* The order at each boundary is: cap, interrupt, fetch. */
#define DISPATCH(count)           \
    do {                          \
        left -= (count);          \
        if (unlikely(left < 0)) { \
            goto limit;           \
        }                         \
        goto *table[d->handler];  \
    } while (0)
#define NEXT(size, count) \
    do {                  \
        d += (size) / 2;  \
        DISPATCH(count);  \
    } while (0)
/* Before a cold path: it sees pc, and the meter as of before this instruction. */
#define SAVE(before) (h->pc = PC(), h->cycles = CYCLES() + (before))
#define AFTER(step_expression, size, before) \
    do {                                     \
        enum step step = (step_expression);  \
        if (unlikely(step != STEP_NEXT)) {   \
            left -= (before) + 1;            \
            length = size;                   \
            outcome = step;                  \
            goto not_next;                   \
        }                                    \
    } while (0)

/* What an instruction does: its entry is d[at], and its handler has run `before` others. Control
 * falls out behind it where it neither trapped nor jumped; but a slow access may have changed the
 * code that follows, so it goes on by the next entry. */
#define COMPUTE(name, at, a)                                                  \
    {                                                                         \
        uint32_t b = HAS_RS2_##name ? x[d[at].rs2] : 0u;                      \
        x[d[at].rd] = alu_##name(a, b, (uint32_t)d[at].imm, PC() + 2 * (at)); \
    }
#define DO_ALU(name, size, at, before)  COMPUTE(name, at, x[d[at].rs1])
#define DO_SAME(name, size, at, before) COMPUTE(name, at, x[d[at].rd])
#define DO_ZERO(name, size, at, before) COMPUTE(name, at, 0u)
#define DO_LOAD(name, size, at, before)                                                 \
    {                                                                                   \
        uint32_t address = x[d[at].rs1] + (uint32_t)d[at].imm;                          \
        if (unlikely((!(access[address / PAGE_SIZE] & PAGE_READ)) |                     \
                     (address & (sizeof(loaded_##name) - 1)))) {                        \
            uint32_t value = 0;                                                         \
            d += (at);                                                                  \
            SAVE(before);                                                               \
            enum step loaded = load_slow(h, address, sizeof(loaded_##name), &value);    \
            x[d->rd] = loaded == STEP_TRAP ? x[d->rd] : (uint32_t)(loaded_##name)value; \
            AFTER(loaded, size, before);                                                \
            NEXT(size, (before) + 1);                                                   \
        }                                                                               \
        x[d[at].rd] = (uint32_t) * (const loaded_##name *)(memory + address);           \
    }
#define DO_STORE(name, size, at, before)                                                   \
    {                                                                                      \
        int32_t offset = d[at].imm16;                                                      \
        uint32_t address = x[d[at].rs1] + (uint32_t)offset;                                \
        if (unlikely((!(access[address / PAGE_SIZE] & PAGE_WRITE)) |                       \
                     (address & (sizeof(stored_##name) - 1)))) {                           \
            d += (at);                                                                     \
            SAVE(before);                                                                  \
            AFTER(store_slow(h, address, sizeof(stored_##name), x[d->rs2]), size, before); \
            NEXT(size, (before) + 1);                                                      \
        }                                                                                  \
        *(stored_##name *)(memory + address) = (stored_##name)x[d[at].rs2];                \
        dirty[address / PAGE_SIZE] = 1;                                                    \
    }
#define DO_BRANCH(name, size, at, before)              \
    if (is_taken_##name(x[d[at].rs1], x[d[at].rs2])) { \
        d += (at) + d[at].imm16;                       \
        DISPATCH((before) + 1);                        \
    }

/* The last instruction of a handler, and on. */
#define END(size, at, before)                   NEXT(2 * (at) + (size), (before) + 1);
#define RUN_ALU(name, size, at, before, unused) DO_ALU(name, size, at, before) END(size, at, before)
#define RUN_SAME(name, size, at, before, unused) \
    DO_SAME(name, size, at, before) END(size, at, before)
#define RUN_ZERO(name, size, at, before, unused) \
    DO_ZERO(name, size, at, before) END(size, at, before)
#define RUN_LOAD(name, size, at, before, unused) \
    DO_LOAD(name, size, at, before) END(size, at, before)
#define RUN_STORE(name, size, at, before, unused) \
    DO_STORE(name, size, at, before) END(size, at, before)
#define RUN_BRANCH(name, size, at, before, unused) \
    DO_BRANCH(name, size, at, before) END(size, at, before)
#define RUN_JUMP(name, size, at, before, unused)                                \
    {                                                                           \
        uint32_t pc = PC() + 2 * (at);                                          \
        uint32_t target = target_##name(x[d[at].rs1], (uint32_t)d[at].imm, pc); \
        x[d[at].rd] = pc + (size);                                              \
        d = code + target / 2;                                                  \
        DISPATCH((before) + 1);                                                 \
    }
#define RUN_AMO(name, size, at, before, semantics)              \
    {                                                           \
        uint32_t address = x[d->rs1], b = x[d->rs2], m;         \
        SAVE(0);                                                \
        AFTER(amo_check(h, address), size, 0);                  \
        m = *(const uint32_t *)(memory + address);              \
        x[d->rd] = m;                                           \
        AFTER(store_slow(h, address, 4, (semantics)), size, 0); \
        NEXT(size, 1);                                          \
    }
#define RUN_CSR(name, size, at, before, semantics)                                         \
    {                                                                                      \
        bool is_immediate = IS_IMMEDIATE_##name;                                           \
        bool is_write = isa_writes_csr(OP_##name, d->rs1);                                 \
        uint32_t number = (uint32_t)d->imm;                                                \
        UNUSED uint32_t m, b = is_immediate ? d->rs1 : x[d->rs1];                          \
        SAVE(0);                                                                           \
        const struct csr_row *row = csr_find(h, number, is_write);                         \
        if (unlikely(!row)) {                                                              \
            AFTER(trap_take(h, CAUSE_ILLEGAL, bits_at(h, h->pc)), size, 0);                \
        }                                                                                  \
        m = csr_read(h, row, number);                                                      \
        enum step written = is_write ? csr_write(h, row, number, (semantics)) : STEP_NEXT; \
        x[d->rd] = m;                                                                      \
        AFTER(written, size, 0);                                                           \
        NEXT(size, 1);                                                                     \
    }
#define RUN_SYSTEM(name, size, at, before, unused) RUN_##name(size)
#define RUN_fence(size) \
    {                   \
        NEXT(size, 1);  \
    }
#define RUN_fence_i(size) RUN_fence(size)
#define RUN_ecall(size)                                                     \
    {                                                                       \
        SAVE(0);                                                            \
        uint32_t cause = h->mode == MODE_M ? CAUSE_ECALL_M : CAUSE_ECALL_U; \
        AFTER(trap_take(h, cause, 0), size, 0);                             \
        NEXT(size, 1);                                                      \
    }
#define RUN_ebreak(size)                                 \
    {                                                    \
        SAVE(0);                                         \
        enum step called = break_or_call(h);             \
        left = (int64_t)(limit - h->cycles) - FUSED_MAX; \
        AFTER(called, size, 0);                          \
        NEXT(size, 1);                                   \
    }
#define RUN_mret(size)                \
    {                                 \
        SAVE(0);                      \
        AFTER(hart_mret(h), size, 0); \
        NEXT(size, 1);                \
    }
/* TW makes it illegal at once (3.1.6.5): no time limit is part of the contract. */
#define RUN_wfi(size)                                                       \
    {                                                                       \
        if (h->mode != MODE_M && (h->csr.mstatus & MSTATUS_TW)) {           \
            SAVE(0);                                                        \
            AFTER(trap_take(h, CAUSE_ILLEGAL, bits_at(h, h->pc)), size, 0); \
        }                                                                   \
        d += (size) / 2;                                                    \
        left--;                                                             \
        exit = HART_WAIT;                                                   \
        goto leave;                                                         \
    }
#define RUN_lr_w(size)                                       \
    {                                                        \
        uint32_t value;                                      \
        SAVE(0);                                             \
        AFTER(load_reserved(h, x[d->rs1], &value), size, 0); \
        x[d->rd] = value;                                    \
        NEXT(size, 1);                                       \
    }
/* Its own store may drop the predecoded instruction, so rd is read before. */
#define RUN_sc_w(size)                                                         \
    {                                                                          \
        uint32_t rd = d->rd;                                                   \
        uint32_t failed = 0;                                                   \
        SAVE(0);                                                               \
        enum step tried = store_conditional(h, x[d->rs1], x[d->rs2], &failed); \
        x[rd] = tried == STEP_TRAP ? x[rd] : failed;                           \
        AFTER(tried, size, 0);                                                 \
        NEXT(size, 1);                                                         \
    }

/* The one long function: generated from the table, a handler a row. */
enum hart_exit interpret(struct hart *h, uint64_t limit)
{
    static const void *const handlers[HANDLER_COUNT] = {
        [HANDLER_DECODE] = &&decode,
        [HANDLER(FORM_ANY, OP_illegal, 4)] = &&illegal,
        [HANDLER(FORM_ANY, OP_illegal, 2)] = &&illegal,
        [HANDLER_SELF_JUMP] = &&self_jump,
#define AT(kind, name, size)    [SINGLE(kind, name, size)] = &&run_##kind##name##size,
#define EACH_ALU(name, size)    AT(ALU, name, size) AT(SAME, name, size) AT(ZERO, name, size)
#define EACH_LOAD(name, size)   AT(LOAD, name, size)
#define EACH_STORE(name, size)  AT(STORE, name, size)
#define EACH_BRANCH(name, size) AT(BRANCH, name, size)
#define EACH_JUMP(name, size)   AT(JUMP, name, size)
#define EACH_AMO(name, size)    AT(AMO, name, size)
#define EACH_CSR(name, size)    AT(CSR, name, size)
#define EACH_SYSTEM(name, size) AT(SYSTEM, name, size)
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    EACH_##kind(name, 4) EACH_##kind(name, 2)
#include "isa/rv32.def"
#undef INSN
#define PAIR(k1, n1, s1, k2, n2, s2) \
    [HANDLER_##k1##n1##s1##_##k2##n2##s2] = &&run_##k1##n1##s1##_##k2##n2##s2,
#define TRIPLE(k1, n1, s1, k2, n2, s2, k3, n3, s3)         \
    [HANDLER_##k1##n1##s1##_##k2##n2##s2##_##k3##n3##s3] = \
        &&run_##k1##n1##s1##_##k2##n2##s2##_##k3##n3##s3,
#include "engine/fuse.def"
#undef PAIR
#undef TRIPLE
    };
    const void *const *table = handlers;
    __asm__("" : "+r"(table)); /* keeps the address in a register: else it is formed at each jump */
    uint32_t *const x = h->x;
    uint8_t *const memory = h->memory;
    const uint8_t *const access = view_of(h, view_data_mode(h))->access;
    uint8_t *const dirty = h->dirty;
    struct predecoded *const code = view_of(h, h->mode)->code;
    const struct predecoded *d = code + h->pc / 2;
    int64_t left = (int64_t)(limit - h->cycles) - FUSED_MAX;
    enum hart_exit exit = HART_LIMIT;
    enum step outcome = STEP_TRAP;
    unsigned length = 0;

    DISPATCH(0);

/* The semantics of kinds that are ever fused have names; of the others they are spelt out here. */
#define ALONE(kind, name, size, semantics) \
    run_##kind##name##size : RUN_##kind(name, size, 0, 0, semantics)
#define ALONE_ALU(name, size, unused) \
    ALONE(ALU, name, size, ) ALONE(SAME, name, size, ) ALONE(ZERO, name, size, )
#define ALONE_LOAD(name, size, unused)      ALONE(LOAD, name, size, )
#define ALONE_STORE(name, size, unused)     ALONE(STORE, name, size, )
#define ALONE_BRANCH(name, size, unused)    ALONE(BRANCH, name, size, )
#define ALONE_JUMP(name, size, unused)      ALONE(JUMP, name, size, )
#define ALONE_AMO(name, size, semantics)    ALONE(AMO, name, size, semantics)
#define ALONE_CSR(name, size, semantics)    ALONE(CSR, name, size, semantics)
#define ALONE_SYSTEM(name, size, semantics) ALONE(SYSTEM, name, size, semantics)
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    ALONE_##kind(name, 4, semantics) ALONE_##kind(name, 2, semantics)
#include "isa/rv32.def"
#undef INSN

#define PAIR(k1, n1, s1, k2, n2, s2) \
    run_##k1##n1##s1##_##k2##n2##s2 : DO_##k1(n1, s1, 0, 0) RUN_##k2(n2, s2, (s1) / 2, 1, )
#define TRIPLE(k1, n1, s1, k2, n2, s2, k3, n3, s3)           \
    run_##k1##n1##s1##_##k2##n2##s2##_##k3##n3##s3           \
        : DO_##k1(n1, s1, 0, 0) DO_##k2(n2, s2, (s1) / 2, 1) \
              RUN_##k3(n3, s3, ((s1) + (s2)) / 2, 2, )
#include "engine/fuse.def"
#undef PAIR
#undef TRIPLE

decode : {
    uint32_t pc = PC();
    uint32_t fault;
    d = code + pc / 2; /* a branch may have wrapped round the address space */
    if (!predecode(h, pc, &fault)) {
        SAVE(0);
        AFTER(trap_take(h, CAUSE_FETCH_FAULT, fault), 0, 0);
    }
    DISPATCH(0);
}
illegal:
    SAVE(0);
    AFTER(trap_take(h, CAUSE_ILLEGAL, (uint32_t)d->imm), 0, 0);
not_next:
    if (outcome != STEP_TRAP) {
        d += length / 2;
        exit = outcome == STEP_STOP ? HART_STOP : HART_LIMIT;
        goto leave;
    }
    h->cycles = CYCLES();
    return HART_LIMIT;
self_jump: /* it does not retire */
    exit = HART_SELF_JUMP;
    goto leave;
limit:
    if (left + FUSED_MAX > 0) {
        goto *table[first_of(d->handler)];
    }
leave:
    h->pc = PC();
    h->cycles = CYCLES();
    return exit;
}
