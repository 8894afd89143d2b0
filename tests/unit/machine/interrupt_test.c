/* interrupt_test.c - what devices raise, the hart takes: timers, storms, nested traps, waits */
/* SPDX-License-Identifier: MIT */
#include "board.h"

enum { MSTATUS = 0x300, MIE = 0x304, MTVEC = 0x305, MCAUSE = 0x342, MIP = 0x344 };
enum { MSI = 3, MTI = 7, MEI = 11, MIE_ON = 8 };
static const uint32_t clint = 0x02000000, plic = 0x0c000000;

/* Appends `mtvec = HANDLER; mie = sources; mstatus.MIE = 1`. */
static void put_enable(struct board *b, uint32_t sources)
{
    put_li(b, T0, HANDLER);
    put(b, csrrw, 0, T0, 0, MTVEC);
    put_li(b, T0, sources);
    put(b, csrrw, 0, T0, 0, MIE);
    put(b, csrrsi, 0, MIE_ON, 0, MSTATUS);
}

static void put_store(struct board *b, uint32_t address, uint32_t value)
{
    put_li(b, T1, address);
    put_li(b, T2, value);
    put(b, sw, 0, T1, T2, 0);
}

static void put_byte(struct board *b, uint32_t address, uint32_t value)
{
    put_li(b, T1, address);
    put_li(b, T2, value);
    put(b, sb, 0, T1, T2, 0);
}

/* A handler that keeps mcause in A0 and ends the run. */
static void put_ending_handler(struct board *b)
{
    uint32_t at = b->at;
    b->at = HANDLER;
    put(b, csrrs, A0, ZERO, 0, MCAUSE);
    put_store(b, finisher, 0x5555);
    b->at = at;
}

BOARD_TEST(timer, of_the_past_fires_at_once)
{
    static const uint64_t times[] = {0, 1, 0x7fffffff};
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        machine_reset(b->machine);
        b->at = ROM_BASE;
        put_ending_handler(b);
        put_store(b, clint + 0xbff8, 0x7fffffff); /* it is late already */
        put_enable(b, 1 << MTI);
        put_store(b, clint + 0x4000, (uint32_t)times[i]);
        put_store(b, clint + 0x4004, 0);
        uint32_t behind = b->at;
        put(b, addi, A1, ZERO, 0, 1);
        put_self_jump(b);
        assert_int_equal(run(b), HALT_POWER_DOWN);
        assert_int_equal(b->stop.x[A0], 1u << 31 | MTI);
        assert_int_equal(b->stop.x[A1], 0x1000); /* not one instruction more */
        assert_int_equal(b->machine->hart->csr.mepc, behind);
    }
}

BOARD_TEST(timer, of_never_is_none)
{
    put_ending_handler(b);
    put_store(b, clint + 0xbffc, ~0u);
    put_store(b, clint + 0xbff8, ~0u - 3);
    put_enable(b, 1 << MTI);
    put_store(b, clint + 0x4000, ~0u);
    for (int i = 0; i < 100; i++) { /* mtime passes all ones, and wraps */
        put(b, addi, A1, A1, 0, 1);
    }
    put(b, wfi, 0, 0, 0, 0);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], 0);
    assert_int_equal(b->stop.x[A1], 0x1000 + 100);
}

/* The bit in mip is there from the tick on, to the cycle. */
BOARD_TEST(timer, is_pending_from_its_tick_on)
{
    put_store(b, clint + 0x4000, 3);
    put_store(b, clint + 0x4004, 0);
    while (b->at < ROM_BASE + 4 * 40) {
        put(b, csrrs, A0, ZERO, 0, MIP);
    }
    for (uint64_t cycle = 1; cycle <= 40; cycle++) {
        assert_true(machine_step(b->machine, &b->stop));
        bool is_read = cycle > 8;
        if (is_read) {
            assert_int_equal(b->stop.x[A0] >> MTI & 1, cycle - 1 >= 30);
        }
    }
}

BOARD_TEST(software, interrupts_by_msip)
{
    put_ending_handler(b);
    put_enable(b, 1 << MSI);
    put_store(b, clint, 0xfffffffe); /* only bit 0 counts */
    put_store(b, clint, 1);
    put(b, addi, A1, ZERO, 0, 1);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], 1u << 31 | MSI);
    assert_int_equal(b->stop.x[A1], 0x1000);
}

/* External before software before timer, all pending when they are let in. */
BOARD_TEST(priority, is_external_software_timer)
{
    static const uint32_t sources[] = {1 << MEI | 1 << MSI | 1 << MTI, 1 << MSI | 1 << MTI,
                                       1 << MTI};
    static const uint32_t first[] = {MEI, MSI, MTI};
    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        machine_reset(b->machine);
        b->at = ROM_BASE;
        put_ending_handler(b);
        put_store(b, clint, 1);
        put_store(b, clint + 0x4000, 0);
        put_store(b, clint + 0x4004, 0);
        put_store(b, plic + 4 * 10, 1);
        put_store(b, plic + 0x2000, 1 << 10);
        put_byte(b, uart + 1, 2);
        put_enable(b, sources[i]);
        put_self_jump(b);
        assert_int_equal(run(b), HALT_POWER_DOWN);
        assert_int_equal(b->stop.x[A0], 1u << 31 | first[i]);
    }
}

/* A handler that serves nothing is entered for ever; the cap ends it, exactly. */
TEST(storm, ends_at_the_cap)
{
    static const uint64_t caps[] = {1000, 1001, 1002, 100000};
    for (size_t i = 0; i < ARRAY_COUNT(caps); i++) {
        struct board b;
        board_init(&b, (struct machine_config){.cycles_max = caps[i]});
        b.at = HANDLER;
        put(&b, addi, A0, A0, 0, 1);
        put(&b, mret, 0, 0, 0, 0);
        b.at = ROM_BASE;
        put_store(&b, plic + 4 * 10, 7);
        put_store(&b, plic + 0x2000, 1 << 10);
        put_byte(&b, uart + 1, 2);
        put_enable(&b, 1 << MEI);
        put(&b, addi, A1, A1, 0, 1);
        put_self_jump(&b);
        assert_int_equal(run(&b), HALT_CYCLES);
        assert_int_equal(b.stop.cycles, caps[i]);
        assert_int_equal(b.stop.x[A1], 0x1000); /* no instruction of the program ever */
        /* One cycle for the interrupt, two for the handler. */
        uint64_t before = b.stop.instructions - 2 * (b.stop.cycles - b.stop.instructions);
        assert_in_range(before, 0, 40);
        board_deinit(&b);
    }
}

/* An exception in a handler keeps the count of both; one in its first instruction is double only
 * where the handler cannot be fetched. */
BOARD_TEST(nested, traps_are_taken_one_by_one)
{
    b->at = HANDLER;
    put(b, addi, A0, A0, 0, 1);
    put(b, addi, T0, ZERO, 0, 5);
    put(b, bge, 0, A0, T0, 8);
    put(b, lw, A2, ZERO, 0, 0); /* the handler's own fault: in again, five deep */
    put_store(b, finisher, 0x5555);
    b->at = ROM_BASE;
    put_enable(b, 1 << MSI);
    put_store(b, clint, 1);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], 5);
    assert_int_equal(b->stop.cycles - b->stop.instructions, 5);
    assert_int_equal(b->machine->hart->csr.mcause, 5);
    assert_int_equal(b->machine->hart->csr.mepc, HANDLER + 12);
}

BOARD_TEST(nested, trap_without_a_handler_is_the_first_ones_fault)
{
    put_li(b, T0, 0x40000000); /* nothing is there */
    put(b, csrrw, 0, T0, 0, MTVEC);
    put_li(b, T0, 1 << MSI);
    put(b, csrrw, 0, T0, 0, MIE);
    put(b, csrrsi, 0, MIE_ON, 0, MSTATUS);
    put_store(b, clint, 1);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_FAULT);
    assert_int_equal(b->stop.mcause, 1u << 31 | MSI);
}

/* The line is level: served, claimed, completed, and pending again while it is up. */
BOARD_TEST(external, comes_again_until_it_is_served)
{
    b->at = HANDLER;
    put(b, addi, A0, A0, 0, 1);
    put_li(b, T1, plic + 0x200004);
    put(b, lw, A2, T1, 0, 0);
    put(b, sw, 0, T1, A2, 0);
    put(b, addi, T0, ZERO, 0, 3);
    put(b, blt, 0, A0, T0, 16);
    put_li(b, T1, uart);
    put(b, lbu, A3, T1, 0, 2); /* IIR: tells it, and takes it away */
    put(b, mret, 0, 0, 0, 0);
    b->at = ROM_BASE;
    put_store(b, plic + 4 * 10, 1);
    put_store(b, plic + 0x2000, 1 << 10);
    put_byte(b, uart + 1, 2);
    put_enable(b, 1 << MEI);
    put(b, addi, A1, ZERO, 0, 1);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    /* The third looks at IIR after it has completed, so there is a fourth. */
    assert_int_equal(b->stop.x[A0], 4);
    assert_int_equal(b->stop.x[A1], 1);
    assert_int_equal(b->stop.x[A2], 10);
    assert_int_equal(b->stop.x[A3], 1);
}

/* Received bytes by interrupt, with nothing else to do: a wait with no more to come is the end. */
BOARD_TEST(external, brings_the_console_byte_by_byte)
{
    static const char text[] = "by interrupt";
    machine_set_console_in(b->machine, span_of(text, sizeof text - 1));
    b->at = HANDLER;
    put_li(b, T1, plic + 0x200004);
    put(b, lw, A2, T1, 0, 0);
    put_li(b, T0, uart);
    put(b, lbu, A3, T0, 0, 0);
    put(b, sb, 0, S0, A3, 0);
    put(b, addi, S0, S0, 0, 1);
    put(b, sw, 0, T1, A2, 0);
    put(b, mret, 0, 0, 0, 0);
    b->at = ROM_BASE;
    put_li(b, S0, ram);
    put_store(b, plic + 4 * 10, 1);
    put_store(b, plic + 0x2000, 1 << 10);
    put_byte(b, uart + 1, 1);
    put_enable(b, 1 << MEI);
    put(b, wfi, 0, 0, 0, 0);
    put(b, jal, 0, 0, 0, -4);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_memory_equal(at(b, ram), text, sizeof text);
    assert_int_equal(b->stop.x[S0] - ram, sizeof text - 1);
}

/* The finisher's reset puts every device as it was; nothing is left pending. */
BOARD_TEST(reset, takes_all_requests_away)
{
    put_ending_handler(b);
    put(b, csrrs, A4, ZERO, 0, MIP);
    put_li(b, A5, lambda);
    put(b, lw, A5, A5, 0, 24); /* the boot reason: 1 after the reset */
    uint32_t branch = b->at;
    b->at += 4;
    put_store(b, clint, 1);
    put_store(b, clint + 0x4000, 0);
    put_store(b, clint + 0x4004, 0);
    put_store(b, plic + 4 * 10, 1);
    put_store(b, plic + 0x2000, 1 << 10);
    put_byte(b, uart + 1, 2);
    put(b, csrrs, S0, ZERO, 0, MIP);
    put_store(b, ram, 0);
    put_li(b, T1, ram);
    put(b, sw, 0, T1, S0, 0);
    put_store(b, finisher, 0x7777);
    uint32_t end = b->at;
    b->at = branch;
    put(b, bne, 0, A5, ZERO, (int32_t)(end - branch));
    b->at = end;
    put_enable(b, ~0u);
    put_store(b, finisher, 0x5555);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(word_at(b, ram), 1 << MEI | 1 << MSI | 1 << MTI);
    assert_int_equal(b->stop.x[A4], 0);
    assert_int_equal(b->stop.x[A0], 0);
}

/* Answers as it was told, and keeps the moments at which it was asked. */
struct script {
    const int *answers;
    size_t answers_count;
    size_t asked;
    struct moment moments[8];
    uint64_t waits[8];
};

static int read_script(void *context, struct moment now, uint64_t wait_ns, bool is_wanted UNUSED)
{
    struct script *s = context;
    if (wait_ns == 0) {
        return INPUT_NONE;
    }
    assert_in_range(s->asked, 0, s->answers_count - 1);
    s->moments[s->asked] = now;
    s->waits[s->asked] = wait_ns;
    return s->answers[s->asked++];
}

static uint64_t next_script(void *context)
{
    (void)context;
    return ~0ull;
}

static void script_init(struct board *b, struct script *s, struct machine_input *input)
{
    *input = (struct machine_input){read_script, next_script, s};
    board_init(b, (struct machine_config){.input = input});
    b->at = HANDLER; /* echoes a byte and returns */
    put_li(b, T1, plic + 0x200004);
    put(b, lw, A2, T1, 0, 0);
    put_li(b, T0, uart);
    put(b, lbu, A3, T0, 0, 0);
    put(b, sb, 0, T0, A3, 0);
    put(b, sw, 0, T1, A2, 0);
    put(b, mret, 0, 0, 0, 0);
    b->at = ROM_BASE;
    put_store(b, plic + 4 * 10, 1);
    put_store(b, plic + 0x2000, 1 << 10);
}

/* Only a guest that could hear it waits; the end of the input is the end of the wait. */
TEST(wait, is_for_what_could_be_heard)
{
    static const int answers[] = {'a', 'b', INPUT_END};
    for (int missing = 0; missing < 4; missing++) {
        struct script script = {answers, ARRAY_COUNT(answers), 0, {{0, 0}}, {0}};
        struct machine_input input;
        struct board b;
        script_init(&b, &script, &input);
        put_byte(&b, uart + 1, missing != 1);
        put_store(&b, plic + 0x200000, missing == 2 ? 7 : 0);
        put_enable(&b, missing == 3 ? 1 << MSI : 1 << MEI);
        put(&b, wfi, 0, 0, 0, 0);
        put(&b, jal, 0, 0, 0, -4);
        assert_int_equal(run(&b), HALT_POWER_DOWN);
        assert_int_equal(script.asked, missing ? 0 : 3);
        assert_int_equal(b.console_len, missing ? 0 : 2);
        for (size_t i = 0; i < script.asked; i++) {
            assert_int_equal(script.waits[i], ~0ull);
        }
        board_deinit(&b);
    }
}

/* A jump to itself hears nothing with interrupts off, and `wfi` does. */
TEST(wait, of_a_jump_needs_interrupts_on)
{
    static const int answers[] = {'a', INPUT_QUIT};
    for (int is_on = 0; is_on < 2; is_on++) {
        struct script script = {answers, ARRAY_COUNT(answers), 0, {{0, 0}}, {0}};
        struct machine_input input;
        struct board b;
        script_init(&b, &script, &input);
        put_byte(&b, uart + 1, 1);
        put_enable(&b, 1 << MEI);
        if (!is_on) {
            put(&b, csrrci, 0, MIE_ON, 0, MSTATUS);
        }
        put_self_jump(&b);
        assert_int_equal(run(&b), is_on ? HALT_QUIT : HALT_POWER_DOWN);
        assert_int_equal(script.asked, is_on ? 2 : 0);
        assert_int_equal(b.console_len, is_on);
        board_deinit(&b);
    }
}

/* Before time skips, there is so much time for a key; what comes is heard at the time before. */
TEST(wait, for_a_timer_takes_as_long_as_its_ticks)
{
    static const int answers[] = {'a', INPUT_NONE, INPUT_QUIT};
    struct script script = {answers, ARRAY_COUNT(answers), 0, {{0, 0}}, {0}};
    struct machine_input input;
    struct board b;
    script_init(&b, &script, &input);
    put_byte(&b, uart + 1, 1);
    put_enable(&b, 1 << MEI | 1 << MTI);
    put(&b, csrrci, 0, MIE_ON, 0, MSTATUS);
    put_store(&b, clint + 0x4000, 1000000);
    put_store(&b, clint + 0x4004, 0);
    put(&b, wfi, 0, 0, 0, 0); /* the key wakes it; with interrupts off it stays */
    put_li(&b, T0, uart);
    put(&b, lbu, A3, T0, 0, 0);
    put_li(&b, T1, plic + 0x200004);
    put(&b, lw, A2, T1, 0, 0);
    put(&b, sw, 0, T1, A2, 0);
    put(&b, wfi, 0, 0, 0, 0); /* the timer does */
    put_store(&b, clint + 0x4000, 2000000);
    put(&b, wfi, 0, 0, 0, 0);
    put_self_jump(&b);
    assert_int_equal(run(&b), HALT_QUIT);
    assert_int_equal(script.asked, 3);
    assert_int_equal(b.stop.x[A3], 'a');
    for (size_t i = 0; i < 3; i++) {
        uint64_t due = i < 2 ? 1000000 : 2000000;
        assert_int_equal(script.waits[i], (due - script.moments[i].mtime) * 100);
    }
    assert_true(script.moments[0].mtime < 100);
    assert_true(script.moments[1].mtime < 100);
    assert_true(script.moments[2].mtime >= 1000000);
    assert_true(script.moments[2].mtime < 1000100);
    assert_int_equal(hart_mtime(b.machine->hart), script.moments[2].mtime); /* no skip any more */
    board_deinit(&b);
}
