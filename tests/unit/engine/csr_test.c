/* csr_test.c - each CSR as instructions see it, and the counters' own rules */
/* SPDX-License-Identifier: MIT */
#include "guest.h"

enum { MCYCLE = 0xb00, MINSTRET = 0xb02, MCYCLEH = 0xb80, MINSTRETH = 0xb82, TIME_CSR = 0xc01 };

/* Worked out by hand from the privileged specification 1.12 (and 10.1 of the unprivileged one), not
 * from csr.def: `count` registers from `number` on, what they read after a reset, after a write of
 * all ones and after one of zero. The two writes are left 0 where every write is refused. What
 * is not simply so many bits has tests of its own. */
static const struct row {
    const char *name;
    uint32_t number;
    uint32_t count;
    uint32_t reset;
    uint32_t ones;
    uint32_t zero;
    enum { PLAIN, COUNTER, OTHER } kind; /* OTHER: not simply so many bits */
} rows[] = {
    {"mstatus", 0x300, 1, 0x00001800, 0, 0, OTHER},                /* TW, MPRV, MPP, MPIE, MIE */
    {"misa", 0x301, 1, 0x40101105, 0x40101105, 0x40101105, PLAIN}, /* MXL 1, U, M, I, C, A */
    {"mie", 0x304, 1, 0, 0x888, 0, PLAIN},                         /* MEIE, MTIE, MSIE */
    {"mtvec", 0x305, 1, 0, 0xfffffffd, 0, PLAIN},                  /* mode bit 1 is reserved */
    {"mcounteren", 0x306, 1, 0, 7, 0, PLAIN},                      /* IR, TM, CY */
    {"menvcfg", 0x30a, 1, 0, 0, 0, PLAIN},
    {"mstatush", 0x310, 1, 0, 0, 0, PLAIN},
    {"menvcfgh", 0x31a, 1, 0, 0, 0, PLAIN},
    {"mcountinhibit", 0x320, 1, 0, 0, 0, PLAIN},
    {"mhpmevent", 0x323, 29, 0, 0, 0, PLAIN},
    {"mscratch", 0x340, 1, 0, 0xffffffff, 0, PLAIN},
    {"mepc", 0x341, 1, 0, 0xfffffffe, 0, PLAIN}, /* IALIGN is 16 */
    {"mcause", 0x342, 1, 0, 0xffffffff, 0, PLAIN},
    {"mtval", 0x343, 1, 0, 0xffffffff, 0, PLAIN},
    {"mip", 0x344, 1, 0, 0, 0, PLAIN},
    {"pmpcfg", 0x3a0, 4, 0, 0, 0, OTHER},
    {"pmpaddr", 0x3b0, 16, 0, 0xffffffff, 0, PLAIN},
    {"mseccfg", 0x747, 1, 0, 0, 0, OTHER},
    {"mseccfgh", 0x757, 1, 0, 0, 0, PLAIN},
    {"mcycle", 0xb00, 1, 0, 0xffffffff, 0, COUNTER},
    {"minstret", 0xb02, 1, 0, 0xffffffff, 0, COUNTER},
    {"mhpmcounter", 0xb03, 29, 0, 0, 0, PLAIN},
    {"mcycleh", 0xb80, 1, 0, 0xffffffff, 0, COUNTER},
    {"minstreth", 0xb82, 1, 0, 0xffffffff, 0, COUNTER},
    {"mhpmcounterh", 0xb83, 29, 0, 0, 0, PLAIN},
    {"cycle", 0xc00, 1, 0, 0, 0, COUNTER},
    {"time", 0xc01, 1, 0, 0, 0, COUNTER},
    {"instret", 0xc02, 1, 0, 0, 0, COUNTER},
    {"cycleh", 0xc80, 1, 0, 0, 0, COUNTER},
    {"timeh", 0xc81, 1, 0, 0, 0, COUNTER},
    {"instreth", 0xc82, 1, 0, 0, 0, COUNTER},
    {"mvendorid", 0xf11, 1, 0, 0, 0, PLAIN},
    {"marchid", 0xf12, 1, 0, 0, 0, PLAIN},
    {"mimpid", 0xf13, 1, 0, 0, 0, PLAIN},
    {"mhartid", 0xf14, 1, 0, 0, 0, PLAIN},
    {"mconfigptr", 0xf15, 1, 0, 0, 0, PLAIN},
};

/* The number as the immediate of an instruction. */
static uint32_t csr_word(enum op op, unsigned rd, unsigned rs1, uint32_t number)
{
    return encode(op, rd, rs1, 0, (int32_t)number);
}

/* Runs one instruction at CODE; true where it trapped as an illegal one. */
static bool is_refused(struct guest *g, uint32_t word)
{
    g->at = CODE;
    put_word(g, word);
    hart_wrote(g->hart, CODE, 4);
    g->hart->pc = CODE;
    g->hart->csr.mtvec = HANDLER;
    assert_int_equal(run(g, 1), HART_LIMIT);
    if (g->hart->pc == HANDLER) {
        assert_trapped(g, CAUSE_ILLEGAL, CODE, word);
        return true;
    }
    assert_int_equal(g->hart->pc, CODE + 4);
    return false;
}

/* What stands in the CSR before the instruction runs, with mtvec as is_refused leaves it. */
static uint32_t value_of(struct guest *g, uint32_t number)
{
    uint32_t value;
    assert_true(hart_csr_read(g->hart, number, &value));
    return value;
}

GUEST_TEST(csr, reads_its_reset_value)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (uint32_t n = 0; n < rows[i].count; n++) {
            hart_reset(g->hart, CODE);
            uint32_t value = value_of(g, rows[i].number + n);
            if (value != rows[i].reset) {
                fail_msg("%s is 0x%x", rows[i].name, value);
            }
            g->hart->x[A0] = 1;
            assert_false(is_refused(g, csr_word(OP_csrrs, A0, ZERO, rows[i].number + n)));
            value = rows[i].number == 0x305 ? HANDLER : rows[i].reset;
            assert_int_equal(g->hart->x[A0], value);
        }
    }
}

/* Writes `bits` by `op`, and gives what the next instruction reads. */
static uint32_t written(struct guest *g, enum op op, uint32_t number, uint32_t bits)
{
    g->hart->x[A0] = bits;
    put_word(g, csr_word(op, ZERO, A0, number));
    put_word(g, csr_word(OP_csrrs, A1, ZERO, number));
    hart_wrote(g->hart, g->at - 8, 8);
    g->hart->pc = g->at - 8;
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_int_equal(g->hart->pc, g->at);
    return g->hart->x[A1];
}

static void assert_written(struct guest *g, const struct row *row, uint32_t number)
{
    const struct {
        enum op op;
        uint32_t bits, value;
    } writes[] = {
        {OP_csrrw, ~0u, row->ones},
        {OP_csrrw, 0, row->zero},
        {OP_csrrw, 0xa5a5a5a5, row->zero | (row->ones & 0xa5a5a5a5)},
        /* set and clear begin from a value that in a counter has moved on */
        {OP_csrrs, 0x0f0f0f0f, row->zero | (row->ones & 0xafafafaf)},
        {OP_csrrc, 0xff00ff00, row->zero | (row->ones & 0x00af00af)},
    };
    hart_reset(g->hart, CODE);
    g->at = CODE;
    for (size_t i = 0; i < (row->kind == COUNTER ? 3 : ARRAY_COUNT(writes)); i++) {
        uint32_t value = written(g, writes[i].op, number, writes[i].bits);
        if (value != writes[i].value) {
            fail_msg("%s (0x%x), write %zu: 0x%x, not 0x%x", row->name, number, i, value,
                     writes[i].value);
        }
    }
}

GUEST_TEST(csr, takes_the_bits_that_may_be_written)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        bool is_written = rows[i].number < 0xc00 && rows[i].kind != OTHER;
        for (uint32_t n = 0; n < rows[i].count && is_written; n++) {
            assert_written(g, &rows[i], rows[i].number + n);
        }
    }
}

/* From a reset: what the last one wrote may bind the hart. */
static bool is_refused_anew(struct guest *g, enum op op, unsigned rs1, uint32_t number)
{
    hart_reset(g->hart, CODE);
    return is_refused(g, csr_word(op, A1, rs1, number));
}

GUEST_TEST(csr, that_can_only_be_read_refuses_every_write)
{
    static const enum op writes[] = {OP_csrrw, OP_csrrs, OP_csrrc};
    static const enum op immediates[] = {OP_csrrwi, OP_csrrsi, OP_csrrci};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        bool is_read_only = rows[i].number >= 0xc00;
        uint32_t number = rows[i].number;
        for (size_t n = 0; n < ARRAY_COUNT(writes); n++) {
            /* That the value is zero does not matter, only that rs1 is a register. */
            assert_int_equal(is_refused_anew(g, writes[n], A0, number), is_read_only);
            assert_int_equal(is_refused_anew(g, immediates[n], 1, number), is_read_only);
            bool is_write = n == 0; /* csrrw writes even x0 and 0 */
            assert_int_equal(is_refused_anew(g, writes[n], ZERO, number), is_read_only && is_write);
            assert_int_equal(is_refused_anew(g, immediates[n], 0, number),
                             is_read_only && is_write);
        }
    }
}

GUEST_TEST(csr, of_no_row_is_illegal_to_read_and_to_write)
{
    static bool is_known[4096];
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (uint32_t n = 0; n < rows[i].count; n++) {
            is_known[rows[i].number + n] = true;
        }
    }
    for (uint32_t number = 0; number < 4096; number++) {
        if (!is_known[number]) {
            g->hart->x[A0] = 5;
            assert_true(is_refused(g, csr_word(OP_csrrs, A0, ZERO, number)));
            assert_int_equal(g->hart->x[A0], 5);
            assert_true(is_refused(g, csr_word(OP_csrrwi, A0, 3, number)));
            assert_int_equal(g->hart->x[A0], 5);
        } else {
            assert_false(is_refused(g, csr_word(OP_csrrs, A0, ZERO, number)));
        }
    }
}

GUEST_TEST(csr, refused_write_changes_nothing)
{
    g->hart->csr.mscratch = 9;
    g->hart->x[A0] = 7;
    assert_true(is_refused(g, csr_word(OP_csrrw, A0, A0, 0xf14)));
    assert_int_equal(g->hart->x[A0], 7);
}

GUEST_TEST(csr, of_the_same_register_is_swapped)
{
    g->hart->csr.mscratch = 9;
    g->hart->x[A0] = 7;
    assert_false(is_refused(g, csr_word(OP_csrrw, A0, A0, 0x340)));
    assert_int_equal(g->hart->x[A0], 9);
    assert_int_equal(g->hart->csr.mscratch, 7);
}

GUEST_TEST(csr, immediates_are_unsigned_five_bits)
{
    assert_false(is_refused(g, csr_word(OP_csrrwi, ZERO, 31, 0x340)));
    assert_int_equal(g->hart->csr.mscratch, 31);
    assert_false(is_refused(g, csr_word(OP_csrrci, ZERO, 5, 0x340)));
    assert_int_equal(g->hart->csr.mscratch, 26);
    assert_false(is_refused(g, csr_word(OP_csrrsi, A0, 4, 0x340)));
    assert_int_equal(g->hart->csr.mscratch, 30);
    assert_int_equal(g->hart->x[A0], 26);
    assert_int_equal(g->hart->x[ZERO], 0);
}

GUEST_TEST(counter, reads_what_came_before_the_reading_instruction)
{
    put(g, csrrs, A0, ZERO, 0, 0xc00);
    put(g, csrrs, A1, ZERO, 0, 0xc02);
    put(g, ecall, 0, 0, 0, 0);
    g->at = HANDLER;
    put(g, csrrs, A2, ZERO, 0, 0xc00);
    put(g, csrrs, A3, ZERO, 0, 0xc02);
    assert_int_equal(run(g, 5), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 0);
    assert_int_equal(g->hart->x[A1], 1);
    assert_int_equal(g->hart->x[A2], 3); /* two, and the trap */
    assert_int_equal(g->hart->x[A3], 3); /* two, not the trap, and csrrs */
}

GUEST_TEST(counter, holds_a_written_value_at_the_next_instruction_only)
{
    g->hart->x[A0] = 1000;
    put(g, csrrw, ZERO, A0, 0, MCYCLE);
    put(g, csrrs, A1, ZERO, 0, MCYCLE);
    put(g, csrrs, A2, ZERO, 0, MCYCLE);
    put(g, csrrw, A3, A0, 0, MINSTRET);
    put(g, csrrs, A4, ZERO, 0, 0xc02);
    put(g, csrrs, A5, ZERO, 0, MINSTRET);
    assert_int_equal(run(g, 6), HART_LIMIT);
    assert_int_equal(g->hart->x[A1], 1000);
    assert_int_equal(g->hart->x[A2], 1001);
    assert_int_equal(g->hart->x[A3], 3);
    assert_int_equal(g->hart->x[A4], 1000);
    assert_int_equal(g->hart->x[A5], 1001);
    assert_counts(g, 6, 6); /* neither the meter nor the report moved */
}

GUEST_TEST(counter, carries_into_its_upper_half)
{
    static const struct {
        int32_t low, high;
    } pairs[] = {{MCYCLE, MCYCLEH}, {MINSTRET, MINSTRETH}};
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        g->at = CODE;
        g->hart->pc = CODE;
        g->hart->x[A0] = ~0u;
        g->hart->x[A1] = 41;
        put(g, csrrw, ZERO, A1, 0, pairs[i].high);
        put(g, csrrw, ZERO, A0, 0, pairs[i].low);
        put(g, csrrs, A2, ZERO, 0, pairs[i].high); /* 41: ffffffff */
        put(g, csrrs, A3, ZERO, 0, pairs[i].high); /* 42: 0 */
        put(g, csrrs, A4, ZERO, 0, pairs[i].low);
        hart_wrote(g->hart, CODE, 20);
        assert_int_equal(run(g, 5), HART_LIMIT);
        assert_int_equal(g->hart->x[A2], 41);
        assert_int_equal(g->hart->x[A3], 42);
        assert_int_equal(g->hart->x[A4], 1);
    }
}

GUEST_TEST(counter, upper_half_written_keeps_the_lower)
{
    put(g, addi, ZERO, ZERO, 0, 0);
    put(g, csrrw, ZERO, A0, 0, MCYCLEH);
    put(g, csrrs, A1, ZERO, 0, MCYCLE);
    put(g, csrrs, A2, ZERO, 0, MCYCLEH);
    g->hart->x[A0] = 3;
    assert_int_equal(run(g, 4), HART_LIMIT);
    assert_int_equal(g->hart->x[A1], 2);
    assert_int_equal(g->hart->x[A2], 3);
}

GUEST_TEST(counter, of_retired_instructions_leaves_out_payload)
{
    g->payload = 160;
    put_word(g, 0x01f01013);
    put_word(g, 0x00100073);
    put_word(g, 0x40705013);
    put(g, csrrs, A1, ZERO, 0, MCYCLE);
    put(g, csrrs, A2, ZERO, 0, MINSTRET);
    assert_int_equal(run(g, 15), HART_LIMIT);
    assert_int_equal(g->hart->x[A1], 13);
    assert_int_equal(g->hart->x[A2], 4);
}

GUEST_TEST(counter, of_time_ticks_every_ten_cycles)
{
    for (int i = 0; i < 9; i++) {
        put(g, addi, ZERO, ZERO, 0, 0);
    }
    put(g, csrrs, A0, ZERO, 0, TIME_CSR); /* nine cycles went by */
    put(g, csrrs, A1, ZERO, 0, TIME_CSR); /* ten */
    assert_int_equal(run(g, 11), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 0);
    assert_int_equal(g->hart->x[A1], 1);
}

GUEST_TEST(counter, begins_at_0_after_a_reset_while_the_meter_goes_on)
{
    put(g, addi, ZERO, ZERO, 0, 0);
    put(g, ecall, 0, 0, 0, 0);
    assert_int_equal(run(g, 2), HART_LIMIT);
    hart_reset(g->hart, HANDLER);
    g->at = HANDLER;
    put(g, csrrs, A0, ZERO, 0, MCYCLE);
    put(g, csrrs, A1, ZERO, 0, MINSTRET);
    assert_int_equal(run(g, 2), HART_LIMIT);
    assert_int_equal(g->hart->x[A0], 0);
    assert_int_equal(g->hart->x[A1], 1);
    assert_counts(g, 4, 3);
}
