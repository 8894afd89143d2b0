/* semihost_test.c - each semihosting call: its answer, what it moves, what it costs */
/* SPDX-License-Identifier: MIT */
#include "call.h"

static void set_in(struct board *b, const void *bytes, uint32_t len)
{
    memcpy(machine_window(b->machine, WINDOW_IN), bytes, len);
    machine_set_in_len(b->machine, len);
}

BOARD_TEST(read, gives_in_and_then_its_end)
{
    set_in(b, "hello, world of bytes", 21);
    assert_int_equal(call3(b, SYS_READ, 0, buffer, 5), 0);
    assert_memory_equal(at(b, buffer), "hello\0", 6);
    assert_int_equal(extra, 1);
    assert_int_equal(call3(b, SYS_READ, 0, buffer, 20), 4); /* 16 were left */
    assert_memory_equal(at(b, buffer), ", world of bytes\0", 17);
    assert_int_equal(extra, 1);
    assert_int_equal(call3(b, SYS_READ, 0, buffer, 20), 20);
    assert_int_equal(extra, 0);
    assert_int_equal(call3(b, SYS_READ, 0, buffer, 0), 0);
    assert_int_equal(machine_out_len(b->machine), 0);
}

BOARD_TEST(read, char_by_char_ends_in_minus_1)
{
    set_in(b, "\xff\0a", 3);
    assert_int_equal(call(b, SYS_READC, 0), 0xff);
    assert_int_equal(extra, 1);
    assert_int_equal(call(b, SYS_READC, 0), 0);
    assert_int_equal(call3(b, SYS_READ, 0, buffer, 4), 3);
    assert_int_equal(call(b, SYS_READC, 0), bad);
    assert_int_equal(extra, 0);
    assert_int_equal(call(b, SYS_READC, 0), bad);
}

BOARD_TEST(read, marks_pages_and_is_seen_by_fetch_and_reservation)
{
    const uint32_t li[] = {encode(OP_addi, A2, ZERO, 0, 1), encode(OP_addi, A2, ZERO, 0, 2)};
    poke(b, buffer, &li[0], 4);
    memset(b->machine->hart->dirty, 0, GiB(4) / PAGE_SIZE);
    b->machine->hart->pc = buffer;
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.x[A2], 1);
    set_in(b, &li[1], 4);
    b->machine->hart->has_reservation = true;
    b->machine->hart->reservation = buffer;
    assert_int_equal(call3(b, SYS_READ, 0, buffer, 4), 0);
    assert_int_equal(machine_ram_dirty(b->machine)[1], 1);
    assert_int_equal(machine_ram_dirty(b->machine)[2], 0);
    assert_false(b->machine->hart->has_reservation);
    b->machine->hart->pc = buffer;
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.x[A2], 2);
}

BOARD_TEST(write, appends_to_out_and_moves_its_length)
{
    poke(b, buffer, "0123456789abcdefg", 18);
    assert_int_equal(call3(b, SYS_WRITE, 1, buffer, 17), 0);
    assert_int_equal(extra, 2);
    assert_int_equal(machine_out_len(b->machine), 17);
    assert_int_equal(call(b, SYS_WRITEC, buffer + 10), 0);
    assert_int_equal(extra, 1);
    assert_int_equal(call(b, SYS_WRITE0, buffer + 12), 0);
    assert_int_equal(extra, 1);
    assert_int_equal(call(b, SYS_WRITE0, buffer + 17), 0); /* empty */
    assert_int_equal(extra, 0);
    assert_int_equal(call3(b, SYS_WRITE, 1, buffer, 0), 0);
    assert_int_equal(machine_out_len(b->machine), 23);
    assert_memory_equal(at(b, OUT_BASE), "0123456789abcdefgacdefg\0", 24);
    assert_int_equal(b->console_len, 0);
}

BOARD_TEST(write, of_zeros_counts)
{
    assert_int_equal(call3(b, SYS_WRITE, 1, buffer, 40), 0);
    assert_int_equal(extra, 3);
    assert_int_equal(machine_out_len(b->machine), 40);
}

BOARD_TEST(write, to_standard_error_is_the_console)
{
    poke(b, buffer, "oops", 5);
    assert_int_equal(call3(b, SYS_WRITE, 2, buffer, 4), 0);
    assert_int_equal(extra, 1);
    assert_int_equal(b->console_len, 4);
    assert_memory_equal(b->console, "oops", 4);
    assert_int_equal(machine_out_len(b->machine), 0);
}

BOARD_TEST(write, goes_on_behind_a_declared_length)
{
    b->machine->out_len = 100;
    b->machine->has_out_len = true;
    poke(b, buffer, "x", 2);
    assert_int_equal(call(b, SYS_WRITEC, buffer), 0);
    assert_int_equal(machine_out_len(b->machine), 101);
    assert_int_equal(*at(b, OUT_BASE + 100), 'x');
}

BOARD_TEST(write, stops_where_out_is_full)
{
    b->machine->out_len = OUT_SIZE - 5;
    poke(b, buffer, "0123456789", 11);
    assert_int_equal(call3(b, SYS_WRITE, 1, buffer, 10), 5); /* so many were not written */
    assert_int_equal(extra, 1);
    assert_memory_equal(at(b, OUT_BASE + OUT_SIZE - 5), "01234", 5);
    assert_int_equal(call3(b, SYS_WRITE, 1, buffer, 10), 10);
    assert_int_equal(extra, 0);
    assert_int_equal(machine_out_len(b->machine), OUT_SIZE);
    assert_int_equal(*at(b, OUT_BASE + OUT_SIZE), 0);
}

BOARD_TEST(write, reads_any_window_across_pages)
{
    memset(machine_window(b->machine, WINDOW_ROM) + 0x3f00, 'r', 0x200);
    assert_int_equal(call3(b, SYS_WRITE, 1, ROM_BASE + 0x3f00, 0x200), 0);
    assert_int_equal(extra, 32);
    set_in(b, "from in", 8);
    assert_int_equal(call(b, SYS_WRITE0, IN_BASE), 0);
    assert_int_equal(machine_out_len(b->machine), 0x207);
    assert_memory_equal(at(b, OUT_BASE + 0x1ff), "rfrom in", 8);
}

BOARD_TEST(pointer, that_is_bad_gives_minus_1_and_changes_nothing)
{
    static const struct {
        uint32_t operation;
        uint32_t words[3];
    } rows[] = {
        {SYS_READ, {0, 0, 4}},
        {SYS_READ, {0, ROM_BASE, 4}},
        {SYS_READ, {0, IN_BASE, 4}},
        {SYS_READ, {0, 0x81fffffe, 4}},
        {SYS_READ, {0, 0x80001000, ~0u}},
        {SYS_READ, {0, 0x100000, 4}},
        {SYS_READ, {0, 0xfffffffe, 4}},
        {SYS_WRITE, {1, 0, 4}},
        {SYS_WRITE, {1, 0x81ffffff, 2}},
        {SYS_WRITE, {2, 0x10000000, 1}},
        {SYS_WRITE, {1, 0x80000000, 0x02000001}},
        {SYS_OPEN, {64, 0, 3}},
        {SYS_GET_CMDLINE, {0, 80, 0}},
        {SYS_GET_CMDLINE, {ROM_BASE, 80, 0}},
        {SYS_HEAPINFO, {0, 0, 0}},
        {SYS_HEAPINFO, {ROM_BASE, 0, 0}},
        {SYS_HEAPINFO, {0x81fffff4, 0, 0}},
    };
    set_in(b, "abcd", 4);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        poke(b, block, rows[i].words, 12);
        memset(b->machine->hart->dirty, 0, GiB(4) / PAGE_SIZE);
        assert_int_equal(call(b, rows[i].operation, block), bad);
        assert_int_equal(extra, 0);
        for (uint32_t page = 0; page < RAM_SIZE / PAGE_SIZE; page++) {
            assert_int_equal(machine_ram_dirty(b->machine)[page], 0);
        }
        assert_memory_equal(at(b, block), rows[i].words, 12);
    }
    assert_int_equal(word_at(b, 0x81fffffc), 0);
    assert_int_equal(machine_out_len(b->machine), 0);
    assert_int_equal(b->console_len, 0);
    assert_int_equal(call(b, SYS_READC, 0), 'a'); /* and no byte of IN was lost */
}

BOARD_TEST(pointer, to_the_parameters_may_be_bad_too)
{
    static const uint32_t operations[] = {
        SYS_OPEN,        SYS_CLOSE,    SYS_WRITEC,  SYS_WRITE0,       SYS_WRITE,
        SYS_READ,        SYS_ISERROR,  SYS_ISTTY,   SYS_SEEK,         SYS_FLEN,
        SYS_GET_CMDLINE, SYS_HEAPINFO, SYS_ELAPSED, SYS_EXIT_EXTENDED};
    static const uint32_t pointers[] = {0, 0x10010000, 0x1ffffffe, 0x82000000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        for (size_t n = 0; n < ARRAY_COUNT(pointers); n++) {
            assert_int_equal(call(b, operations[i], pointers[n]), bad);
            assert_int_equal(extra, 0);
        }
    }
    assert_int_equal(call(b, SYS_EXIT_EXTENDED, 0x81fffffc), bad); /* half of it */
    assert_int_equal(call(b, SYS_ELAPSED, 0x81fffffc), bad);
    assert_int_equal(word_at(b, 0x81fffffc), 0);
    assert_int_equal(call(b, SYS_ELAPSED, ROM_BASE), bad);
    const uint32_t words[] = {buffer, 80}; /* the line's length could not be stored here */
    poke(b, ROM_BASE + 0x100, words, sizeof words);
    memset(at(b, buffer), 'x', 4);
    assert_int_equal(call(b, SYS_GET_CMDLINE, ROM_BASE + 0x100), bad);
    assert_memory_equal(at(b, buffer), "xxxx", 4);
}

BOARD_TEST(string, without_an_end_is_a_bad_pointer)
{
    memset(at(b, 0x81fffff0), 'x', 16);
    assert_int_equal(call(b, SYS_WRITE0, 0x81fffff0), bad);
    assert_int_equal(machine_out_len(b->machine), 0);
    assert_int_equal(extra, 0);
    *at(b, 0x81ffffff) = 0;
    assert_int_equal(call(b, SYS_WRITE0, 0x81fffff0), 0);
    assert_int_equal(machine_out_len(b->machine), 15);
}

BOARD_TEST(handle, of_the_console_opens_by_mode)
{
    for (uint32_t mode = 0; mode < 12; mode++) {
        assert_int_equal(open_name(b, ":tt", mode), mode / 4);
    }
    assert_int_equal(open_name(b, ":tt", 12), bad);
    assert_int_equal(open_name(b, ":ttt", 0), bad);
    assert_int_equal(open_name(b, "file.txt", 0), bad);
    assert_int_equal(open_name(b, "/etc/passwd", 0), bad);
    assert_int_equal(open_name(b, "", 0), bad);
    assert_int_equal(extra, 0); /* a name is no payload */
}

BOARD_TEST(handle, of_features_says_both_bits)
{
    for (int i = 0; i < 2; i++) { /* opened again, it begins again */
        uint32_t handle = open_name(b, ":semihosting-features", 0);
        assert_true(handle > 2 && handle != bad);
        assert_int_equal(call3(b, SYS_FLEN, handle, 0, 0), 5);
        assert_int_equal(call3(b, SYS_READ, handle, buffer, 4), 0);
        assert_memory_equal(at(b, buffer), "SHFB", 4);
        assert_int_equal(call3(b, SYS_READ, handle, buffer, 4), 3);
        assert_int_equal(*at(b, buffer), 3);
        assert_int_equal(call3(b, SYS_READ, handle, buffer, 4), 4);
        assert_int_equal(call3(b, SYS_SEEK, handle, 4, 0), 0);
        assert_int_equal(call3(b, SYS_READ, handle, buffer, 4), 3);
        assert_int_equal(call3(b, SYS_WRITE, handle, buffer, 1), bad);
        assert_int_equal(call3(b, SYS_CLOSE, handle, 0, 0), 0);
    }
}

BOARD_TEST(handle, that_is_not_open_is_refused)
{
    static const uint32_t handles[] = {4, 99, 0x80000000, ~0u};
    for (size_t i = 0; i < ARRAY_COUNT(handles); i++) {
        assert_int_equal(call3(b, SYS_READ, handles[i], buffer, 1), bad);
        assert_int_equal(call3(b, SYS_WRITE, handles[i], buffer, 1), bad);
        assert_int_equal(call3(b, SYS_CLOSE, handles[i], 0, 0), bad);
        assert_int_equal(call3(b, SYS_FLEN, handles[i], 0, 0), bad);
        assert_int_equal(call3(b, SYS_SEEK, handles[i], 0, 0), bad);
    }
    assert_int_equal(call3(b, SYS_READ, 1, buffer, 1), bad); /* the wrong way round */
    assert_int_equal(call3(b, SYS_WRITE, 0, buffer, 1), bad);
}

BOARD_TEST(handle, of_standard_input_seeks_and_has_a_length)
{
    set_in(b, "0123456789", 10);
    assert_int_equal(call3(b, SYS_FLEN, 0, 0, 0), 10);
    assert_int_equal(call3(b, SYS_SEEK, 0, 7, 0), 0);
    assert_int_equal(call(b, SYS_READC, 0), '7');
    assert_int_equal(call3(b, SYS_SEEK, 0, 10, 0), 0);
    assert_int_equal(call(b, SYS_READC, 0), bad);
    assert_int_equal(call3(b, SYS_SEEK, 0, 11, 0), bad);
    assert_int_equal(call3(b, SYS_SEEK, 0, 0, 0), 0);
    assert_int_equal(call(b, SYS_READC, 0), '0');
    assert_int_equal(call3(b, SYS_ISTTY, 0, 0, 0), 0);
    assert_int_equal(call3(b, SYS_ISTTY, 2, 0, 0), 1);
}

/* What the guest does itself, by the finisher, or its host, by the pin. */
static void reset(struct board *b, bool is_by_guest)
{
    if (!is_by_guest) {
        machine_reset(b->machine);
        return;
    }
    b->at = ROM_BASE;
    x_of(b)[T0] = finisher;
    x_of(b)[T1] = 0x7777;
    b->machine->hart->pc = ROM_BASE;
    put(b, sw, 0, T0, T1, 0);
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->machine->boot, BOOT_WARM);
    assert_int_equal(x_of(b)[T1], 0);
}

BOARD_TEST(reset, begins_every_stream_again)
{
    for (int is_by_guest = 0; is_by_guest < 2; is_by_guest++) {
        uint32_t features = open_name(b, ":semihosting-features", 0);
        set_in(b, "0123456789", 10);
        assert_int_equal(call3(b, SYS_READ, 0, buffer, 4), 0);
        assert_int_equal(call3(b, SYS_READ, features, buffer, 4), 0);
        assert_int_equal(call3(b, SYS_CLOSE, 99, 0, 0), bad);
        assert_int_not_equal(call(b, SYS_ERRNO, 0), 0);
        reset(b, is_by_guest);
        assert_int_equal(call(b, SYS_ERRNO, 0), 0);
        assert_int_equal(call(b, SYS_READC, 0), '0');
        assert_int_equal(call3(b, SYS_READ, features, buffer, 4), 0);
        assert_memory_equal(at(b, buffer), "SHFB", 4);
    }
}

BOARD_TEST(call, without_a_row_is_refused)
{
    static const uint32_t operations[] = {0,    0x0b, 0x14, 0x17,  0x19, 0x1f,
                                          0x21, 0x2f, 0x32, 0x100, ~0u};
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        assert_int_equal(call(b, operations[i], block), bad);
    }
    static const uint32_t refused[] = {SYS_TMPNAM, SYS_REMOVE, SYS_RENAME, SYS_SYSTEM};
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        assert_int_equal(call(b, refused[i], block), bad);
        assert_int_not_equal(call(b, SYS_ERRNO, 0), 0);
    }
}

BOARD_TEST(call, is_error_asks_the_sign)
{
    assert_int_equal(call3(b, SYS_ISERROR, 0, 0, 0), 0);
    assert_int_equal(call3(b, SYS_ISERROR, 0x7fffffff, 0, 0), 0);
    assert_int_not_equal(call3(b, SYS_ISERROR, bad, 0, 0), 0);
}

TEST(clock, is_virtual)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 1ull << 50});
    b.machine->hart->cycles = 1234567890123; /* at 100 MHz: 12345.67890123 s */
    b.machine->hart->not_retired = 1000000000;
    assert_int_equal(call(&b, SYS_CLOCK, 0), 1234567);
    assert_int_equal(call(&b, SYS_TIME, 0), 12345);
    assert_int_equal(call(&b, SYS_TICKFREQ, 0), 10000000);
    assert_int_equal(call(&b, SYS_ELAPSED, buffer), 0);
    assert_int_equal(extra, 0);
    uint64_t ticks;
    memcpy(&ticks, at(&b, buffer), sizeof ticks);
    assert_int_equal(ticks, (1234567890123 + 7) / 10);
    board_deinit(&b);
}

BOARD_TEST(arguments, are_none)
{
    memset(at(b, buffer), 'x', 4);
    assert_int_equal(call3(b, SYS_GET_CMDLINE, buffer, 80, 0), 0);
    assert_memory_equal(at(b, buffer), "\0xxx", 4);
    assert_int_equal(word_at(b, block), buffer);
    assert_int_equal(word_at(b, block + 4), 0);
    assert_int_equal(call3(b, SYS_GET_CMDLINE, buffer, 0, 0), bad);
}

BOARD_TEST(heap_info, knows_the_end_of_the_stack)
{
    assert_int_equal(call3(b, SYS_HEAPINFO, buffer, 0, 0), 0);
    const uint32_t unknown[] = {0, 0, 0x82000000, 0};
    assert_memory_equal(at(b, buffer), unknown, sizeof unknown);

    const uint32_t known[] = {0x80002010, 0x82000000, 0x82000000, 0x80002010};
    const struct image image = {.entry = ROM_BASE, .heap = 0x80002001};
    assert_int_equal(machine_load(b->machine, &image, -1, NULL), 0);
    assert_int_equal(call3(b, SYS_HEAPINFO, buffer, 0, 0), 0);
    assert_memory_equal(at(b, buffer), known, sizeof known);
}

/* Makes a call that ends the run. */
static void call_exit(struct board *b, uint32_t operation, uint32_t parameter)
{
    machine_reset(b->machine);
    static const uint32_t words[] = {0x01f01013, 0x00100073, 0x40705013};
    poke(b, ROM_BASE, words, sizeof words);
    x_of(b)[A0] = operation;
    x_of(b)[A1] = parameter;
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.cycles, 2);
    assert_int_equal(b->stop.pc, ROM_BASE + 8);
}

BOARD_TEST(exit, has_the_guests_code)
{
    call_exit(b, SYS_EXIT, APPLICATION_EXIT);
    assert_int_equal(b->stop.exit_code, 0);
    call_exit(b, SYS_EXIT, RUN_TIME_ERROR);
    assert_int_equal(b->stop.exit_code, 1);
    call_exit(b, SYS_EXIT, 0);
    assert_int_equal(b->stop.exit_code, 1);
    static const struct {
        uint32_t reason, code, exit;
    } rows[] = {{APPLICATION_EXIT, 0, 0},
                {APPLICATION_EXIT, 42, 42},
                {APPLICATION_EXIT, ~0u, ~0u},
                {RUN_TIME_ERROR, 42, 1}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const uint32_t words[] = {rows[i].reason, rows[i].code};
        poke(b, block, words, sizeof words);
        call_exit(b, SYS_EXIT_EXTENDED, block);
        assert_int_equal(b->stop.exit_code, rows[i].exit);
    }
}

TEST(payload, may_carry_a_run_past_its_cap)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 10});
    static const uint32_t words[] = {0x01f01013, 0x00100073, 0x40705013};
    poke(&b, ROM_BASE, words, sizeof words);
    const uint32_t parameters[] = {1, buffer, 1600};
    poke(&b, block, parameters, sizeof parameters);
    x_of(&b)[A0] = SYS_WRITE;
    x_of(&b)[A1] = block;
    assert_int_equal(run(&b), HALT_CYCLES);
    assert_int_equal(b.stop.cycles, 102);
    assert_int_equal(b.stop.instructions, 2);
    assert_int_equal(b.stop.pc, ROM_BASE + 8);
    board_deinit(&b);
}
