/* profile_test.c - the profiles' windows, and how a bare machine ends and prints */
/* SPDX-License-Identifier: MIT */
#include "board.h"

enum { ECALL_M = 11, R = 1, W = 2, X = 4 };

/* What docs/machine.md promises, by hand. */
TEST(profile, of_each_name_has_its_windows)
{
    static const struct window_row promised[] = {{"ROM", 0x00000000, 0x01000000, R | X},
                                                 {"RAM", 0x01000000, 0x01000000, R | W | X},
                                                 {"IN", 0x08000000, 0x00800000, R},
                                                 {"OUT", 0x08800000, 0x00800000, R | W}};
    enum profile profile = PROFILE_COUNT;
    assert_true(machine_profile_named("virt", &profile));
    assert_int_equal(profile, PROFILE_VIRT);
    assert_int_equal(machine_profile(profile)->windows[WINDOW_RAM].base, 0x80000000);
    assert_int_equal(machine_profile(profile)->windows[WINDOW_META].size, META_SIZE);
    assert_false(machine_profile_named("Classic", &profile));
    assert_false(machine_profile_named("", &profile));
    assert_true(machine_profile_named("classic", &profile));
    const struct window_row *windows = machine_profile(profile)->windows;
    for (size_t i = 0; i < ARRAY_COUNT(promised); i++) {
        const struct window_row *w = window_at(windows, promised[i].base);
        assert_string_equal(w->name, promised[i].name);
        assert_int_equal(w->base, promised[i].base);
        assert_int_equal(w->size, promised[i].size);
        assert_int_equal(w->access, promised[i].access);
        assert_ptr_equal(window_at(windows, promised[i].base + promised[i].size - 1), w);
    }
    assert_int_equal(windows[WINDOW_META].size, 0);
    assert_null(window_at(windows, 0x02000000));
    assert_null(window_at(windows, 0x07ffffff));
    assert_null(window_at(windows, 0x09000000));
    assert_null(window_at(windows, 0x80000000));
}

static void bare_init(struct board *b)
{
    board_init(b, (struct machine_config){.profile = PROFILE_CLASSIC});
    machine_fit_window(b->machine, WINDOW_RAM, 0x2345);
    machine_reset(b->machine);
    b->at = 0;
}

#define BARE_TEST(subject, behaviour)                          \
    static void bare_##subject##_##behaviour(struct board *b); \
    TEST(subject, behaviour)                                   \
    {                                                          \
        struct board b;                                        \
        bare_init(&b);                                         \
        bare_##subject##_##behaviour(&b);                      \
        board_deinit(&b);                                      \
    }                                                          \
    static void bare_##subject##_##behaviour(struct board *b)

/* The first instruction stands at 0 and runs; the second time it is the end. */
BARE_TEST(bare, ends_at_a_jump_to_0)
{
    put(b, addi, A0, A0, 0, 1);
    put(b, addi, A1, A1, 0, 1);
    put(b, jalr, 0, ZERO, 0, 0);
    for (int again = 0; again < 2; again++) {
        machine_reset(b->machine);
        assert_int_equal(run(b), HALT_POWER_DOWN);
        assert_int_equal(b->stop.exit_code, 0);
        assert_int_equal(b->stop.pc, 0);
        assert_int_equal(b->stop.x[A0], 1);
        assert_int_equal(b->stop.x[A1], 1);
        assert_int_equal(b->stop.x[2], 0x01003000); /* the end of RAM as fitted */
        assert_int_equal(b->stop.cycles, 3);
        assert_int_equal(b->stop.instructions, 3);
    }
}

BARE_TEST(bare, ends_the_same_in_steps)
{
    put(b, addi, A0, A0, 0, 1);
    put(b, jal, 0, 0, 0, -4);
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.cycles, 1);
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.pc, 0);
    assert_false(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.halt, HALT_POWER_DOWN);
    assert_int_equal(b->stop.cycles, 2);
}

BARE_TEST(bare, ends_at_a_jump_to_itself)
{
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.cycles, 0);
    machine_reset(b->machine);
    b->at = 0;
    put(b, addi, A0, ZERO, 0, 1);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.cycles, 1);
    assert_int_equal(b->stop.pc, 4);
}

BARE_TEST(bare, prints_by_ecall)
{
    static const char text[] = "a string of 22 letters";
    const uint32_t ram_base = 0x01000000;
    poke(b, ram_base, text, sizeof text);
    put_li(b, A1, 0x12340000 | 'H');
    put(b, ecall, 0, 0, 0, 0);
    put(b, addi, A0, ZERO, 0, 1);
    put_li(b, A1, ram_base);
    put(b, ecall, 0, 0, 0, 0);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->console_len, 1 + strlen(text));
    assert_memory_equal(b->console, "Ha string of 22 letters", 1 + strlen(text));
    assert_int_equal(b->stop.instructions, 7);
    assert_int_equal(b->stop.cycles, 7 + 1 + 2); /* a cycle for each 16 bytes begun */
}

/* What it cannot print, or does not know, is the trap that it would be anywhere. */
BARE_TEST(bare, traps_at_other_calls)
{
    static const uint32_t rows[][2] = {{2, 0}, {~0u, 0}, {1, 0x40000000}, {1, 0x01003000}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        b->at = 0x100;
        x_of(b)[A0] = rows[i][0];
        x_of(b)[A1] = rows[i][1];
        b->machine->hart->csr.mtvec = 0x400;
        put(b, ecall, 0, 0, 0, 0);
        b->machine->hart->pc = 0x100;
        b->machine->hart->is_entering = false;
        assert_true(machine_step(b->machine, &b->stop));
        assert_int_equal(b->stop.pc, 0x400);
        assert_trap(b, ECALL_M, 0);
    }
    /* A string that no NUL ends before its window does. */
    memset(at(b, 0x01000000), 'x', 0x3000);
    b->at = 0x100;
    x_of(b)[A0] = 1;
    x_of(b)[A1] = 0x01000000;
    put(b, ecall, 0, 0, 0, 0);
    b->machine->hart->pc = 0x100;
    b->machine->hart->is_entering = false;
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.pc, 0x400);
    assert_int_equal(b->console_len, 0);
}

BARE_TEST(bare, has_no_devices_and_no_semihosting)
{
    static const uint32_t places[] = {0x00100000, 0x01003000, 0x02000000, 0x0c000000,
                                      0x10000000, 0x10010000, 0x80000000};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        b->machine->hart->csr.mtvec = 0x400;
        b->at = 0x100;
        x_of(b)[A0] = places[i];
        put(b, sw, 0, A0, A1, 0);
        b->machine->hart->pc = 0x100;
        b->machine->hart->is_entering = false;
        assert_true(machine_step(b->machine, &b->stop));
        assert_int_equal(b->stop.pc, 0x400);
        assert_trap(b, 7, places[i]);
        char text[MTVAL_TEXT_MAX];
        const struct stop stop = {.profile = PROFILE_CLASSIC, .mcause = 7, .mtval = 0x10000000};
        machine_mtval_text(&stop, text);
        assert_string_equal(text, "address 0x10000000 (unmapped)");
    }
    static const uint32_t call[] = {0x01f01013, 0x00100073, 0x40705013};
    poke(b, 0x200, call, sizeof call);
    x_of(b)[A0] = 0x18; /* SYS_EXIT */
    b->machine->hart->pc = 0x204;
    b->machine->hart->is_entering = false;
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.pc, 0x400);
    assert_int_equal(b->machine->hart->csr.mcause, 3);
}

TEST(fit, rounds_up_and_stays_within_the_row)
{
    static const struct {
        uint64_t bytes;
        uint32_t size;
    } rows[] = {{0, 1 << 20},           {1, 4096},
                {4096, 4096},           {4097, 8192},
                {0x00800000, 1 << 23},  {0x00800001, 1 << 23},
                {~0ull - 5000, 1 << 23}};
    struct board b;
    bare_init(&b);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        machine_fit_window(b.machine, WINDOW_OUT, rows[i].bytes);
        assert_int_equal(machine_windows(b.machine)[WINDOW_OUT].size, rows[i].size);
    }
    board_deinit(&b);
    board_init(&b, (struct machine_config){.cycles_max = 1});
    machine_fit_window(b.machine, WINDOW_OUT, 1);
    assert_int_equal(machine_windows(b.machine)[WINDOW_OUT].size, OUT_SIZE);
    board_deinit(&b);
}
