/* machine_test.c - how runs begin, end and are counted; reset; lengths and dirty pages */
/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <stdlib.h>

enum { ILLEGAL = 2, LOAD_FAULT = 5, ECALL = 11 };
enum { MTVEC = 0x305, MEPC = 0x341, MCYCLE = 0xb00 };

/* Every allocation of this program comes through here: --wrap in meson.build. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static size_t allocations;

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

static void put_power_down(struct board *b, uint32_t code)
{
    put_li(b, T0, finisher);
    put_li(b, T1, code << 16 | 0x3333);
    put(b, sw, 0, T0, T1, 0);
}

static void put_handler(struct board *b, uint32_t handler)
{
    put_li(b, T0, handler);
    put(b, csrrw, 0, T0, 0, MTVEC);
}

BOARD_TEST(reset_pin, sets_registers)
{
    put(b, addi, T1, ZERO, 0, 1);
    assert_true(machine_step(b->machine, &b->stop));
    for (unsigned i = 0; i < 32; i++) {
        assert_int_equal(b->stop.x[i], i == T1 ? 1 : i == SP ? 0x82000000 : i == A1 ? 0x1000 : 0);
    }
    assert_int_equal(b->stop.pc, ROM_BASE + 4);
    assert_int_equal(b->stop.cycles, 1);
    machine_reset(b->machine);
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.cycles, 1);
}

BOARD_TEST(power_down, is_a_state_that_never_changes)
{
    put(b, addi, A0, ZERO, 0, 9);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.exit_code, 0);
    assert_int_equal(b->stop.cycles, 1);
    assert_int_equal(b->stop.pc, ROM_BASE + 4);
    machine_reset(b->machine);
    b->at = ROM_BASE;
    put(b, wfi, 0, 0, 0, 0);
    hart_wrote(b->machine->hart, ROM_BASE, 4);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.cycles, 1);
    assert_int_equal(b->stop.pc, ROM_BASE + 4);
}

/* Runs a program that takes the trap of `word` and whose handler is `handler`. */
static enum halt run_with_handler(struct board *b, uint32_t word, const uint32_t *handler)
{
    put_handler(b, HANDLER);
    put_word(b, word);
    put_self_jump(b);
    b->at = HANDLER;
    for (size_t i = 0; handler[i]; i++) {
        put_word(b, handler[i]);
    }
    return run(b);
}

BOARD_TEST(fault, is_a_handler_that_jumps_to_itself_after_an_exception)
{
    const uint32_t handler[] = {0x6f, 0};
    assert_int_equal(run_with_handler(b, 0x0000000b, handler), HALT_FAULT);
    assert_int_equal(b->stop.mcause, ILLEGAL);
    assert_int_equal(b->stop.mepc, ROM_BASE + 12);
    assert_int_equal(b->stop.mtval, 0x0000000b);
    assert_int_equal(b->stop.cycles, 4);
    assert_int_equal(b->stop.instructions, 3);
    assert_int_equal(b->stop.pc, HANDLER);
    char text[MTVAL_TEXT_MAX];
    machine_mtval_text(&b->stop, text);
    assert_string_equal(text, "instruction 0x0000000b");
}

BOARD_TEST(fault, is_a_handler_that_waits_after_an_exception)
{
    const uint32_t handler[] = {0x10500073, 0};
    assert_int_equal(run_with_handler(b, encode(OP_lw, A0, ZERO, 0, 64), handler), HALT_FAULT);
    assert_int_equal(b->stop.mcause, LOAD_FAULT);
    assert_int_equal(b->stop.mtval, 64);
    assert_int_equal(b->stop.instructions, 4);
}

TEST(tohost, has_its_word_in_one_window_that_a_guest_writes)
{
    static const uint32_t good[] = {0x81fffffc, 0x80000001, 0x25fffffc, 0x2600fffc};
    static const uint32_t bad[] = {0x81fffffd, 0x81ffffff, 0x25fffffe, 0x2600fffd,
                                   0x20000000, 0x22000000, 0x40000000, 0xffffffff};
    const struct window_row *virt = machine_profile(PROFILE_VIRT)->windows;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_int_equal(machine_check_tohost(virt, good[i], NULL), 0);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct msg msg;
        struct machine *machine = NULL;
        const struct machine_config config = {.cycles_max = 1, .tohost = bad[i]};
        assert_int_equal(machine_check_tohost(virt, bad[i], &msg), ERR_ARGUMENT);
        assert_int_equal(machine_create(&config, &machine), ERR_ARGUMENT);
        assert_null(machine);
    }
}

BOARD_TEST(power_down, after_an_ecall_is_no_fault)
{
    const uint32_t handler[] = {0x6f, 0};
    assert_int_equal(run_with_handler(b, 0x73, handler), HALT_POWER_DOWN);
    assert_int_equal(b->stop.exit_code, 0);
    assert_int_equal(b->stop.mcause, 0);
}

BOARD_TEST(power_down, after_an_exception_and_mret_is_no_fault)
{
    const uint32_t handler[] = {encode(OP_csrrs, T1, ZERO, 0, MEPC), encode(OP_addi, T1, T1, 0, 4),
                                encode(OP_csrrw, 0, T1, 0, MEPC), 0x30200073, 0};
    assert_int_equal(run_with_handler(b, 0x0000000b, handler), HALT_POWER_DOWN);
    assert_int_equal(b->stop.pc, ROM_BASE + 16);
    assert_int_equal(b->stop.cycles, 8);
    assert_int_equal(b->stop.instructions, 7);
}

BOARD_TEST(power_down, by_the_guest_after_an_exception_has_its_code)
{
    const uint32_t handler[] = {encode(OP_lui, T0, 0, 0, (int32_t)finisher),
                                encode(OP_lui, T1, 0, 0, 0x53000),
                                encode(OP_addi, T1, T1, 0, 0x333), encode(OP_sw, 0, T0, T1, 0), 0};
    assert_int_equal(run_with_handler(b, 0x0000000b, handler), HALT_POWER_DOWN);
    assert_int_equal(b->stop.exit_code, 5);
}

BOARD_TEST(fault, is_a_double_trap)
{
    put(b, addi, A0, ZERO, 0, 1);
    put(b, ebreak, 0, 0, 0, 0); /* mtvec is 0 */
    assert_int_equal(run(b), HALT_FAULT);
    assert_int_equal(b->stop.mcause, 3);
    assert_int_equal(b->stop.mepc, ROM_BASE + 4);
    assert_int_equal(b->stop.mtval, ROM_BASE + 4);
    assert_int_equal(b->stop.cycles, 2);
    assert_int_equal(b->stop.instructions, 1);
}

BOARD_TEST(fault, of_an_ecall_into_nowhere_names_it)
{
    put(b, ecall, 0, 0, 0, 0);
    assert_int_equal(run(b), HALT_FAULT);
    assert_int_equal(b->stop.mcause, ECALL);
    assert_int_equal(b->stop.mepc, ROM_BASE);
}

/* The report is of the trap that could not be handled, not of one before it. */
BOARD_TEST(fault, of_an_ecall_in_a_handler_names_the_ecall)
{
    const uint32_t handler[] = {encode(OP_csrrwi, 0, 0, 0, MTVEC), 0x73, 0};
    assert_int_equal(run_with_handler(b, 0x0000000b, handler), HALT_FAULT);
    assert_int_equal(b->stop.mcause, ECALL);
    assert_int_equal(b->stop.mepc, HANDLER + 4);
    assert_int_equal(b->stop.mtval, 0);
}

BOARD_TEST(fault, is_a_machine_without_an_image)
{
    assert_int_equal(run(b), HALT_FAULT); /* executes zeros */
    assert_int_equal(b->stop.mcause, ILLEGAL);
    assert_int_equal(b->stop.mepc, ROM_BASE);
    assert_int_equal(b->stop.cycles, 1);
    assert_int_equal(b->stop.instructions, 0);
}

TEST(cap, of_cycles_is_exact)
{
    for (uint64_t cap = 1; cap <= 5; cap++) {
        struct board b;
        board_init(&b, (struct machine_config){.cycles_max = cap});
        put(&b, addi, A0, A0, 0, 1);
        put(&b, ecall, 0, 0, 0, 0); /* a double trap, but the cap comes before */
        assert_int_equal(run(&b), cap <= 2 ? HALT_CYCLES : HALT_FAULT);
        assert_int_equal(b.stop.cycles, cap <= 2 ? cap : 2);
        assert_int_equal(b.stop.x[A0], 1);
        assert_int_equal(b.stop.exit_code, 0);
        board_deinit(&b);
    }
}

TEST(cap, of_cycles_over_many_slices)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 1500001});
    put(&b, addi, A0, A0, 0, 1);
    put(&b, jal, 0, 0, 0, -4);
    assert_int_equal(run(&b), HALT_CYCLES);
    assert_int_equal(b.stop.cycles, 1500001);
    assert_int_equal(b.stop.instructions, 1500001);
    assert_int_equal(b.stop.x[A0], 750001);
    assert_int_equal(b.stop.pc, ROM_BASE + 4);
    board_deinit(&b);
}

TEST(cap, lets_the_last_instruction_power_down)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 5});
    put_power_down(&b, 7);
    assert_int_equal(run(&b), HALT_POWER_DOWN);
    assert_int_equal(b.stop.exit_code, 7);
    assert_int_equal(b.stop.cycles, 5);
    board_deinit(&b);
}

TEST(cap, of_time_tells_cycles_that_repeat_the_run)
{
    struct board b, again;
    board_init(&b, (struct machine_config){.cycles_max = 1ull << 40, .time_max_ns = 1});
    put(&b, addi, A0, A0, 0, 1);
    put(&b, jal, 0, 0, 0, -4);
    assert_int_equal(run(&b), HALT_TIME);
    assert_true(b.stop.cycles > 0 && b.stop.cycles < 1ull << 40);
    board_init(&again, (struct machine_config){.cycles_max = b.stop.cycles});
    put(&again, addi, A0, A0, 0, 1);
    put(&again, jal, 0, 0, 0, -4);
    assert_int_equal(run(&again), HALT_CYCLES);
    assert_memory_equal(again.stop.x, b.stop.x, sizeof b.stop.x);
    assert_int_equal(again.stop.pc, b.stop.pc);
    board_deinit(&again);
    board_deinit(&b);
}

BOARD_TEST(step, takes_one_instruction_or_trap)
{
    put_handler(b, HANDLER);
    put(b, ecall, 0, 0, 0, 0);
    b->at = HANDLER;
    put_self_jump(b);
    static const uint32_t pcs[] = {ROM_BASE + 4, ROM_BASE + 8, ROM_BASE + 12, HANDLER};
    for (size_t i = 0; i < ARRAY_COUNT(pcs); i++) {
        assert_true(machine_step(b->machine, &b->stop));
        assert_int_equal(b->stop.pc, pcs[i]);
        assert_int_equal(b->stop.cycles, i + 1);
    }
    assert_false(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.halt, HALT_POWER_DOWN);
    assert_int_equal(b->stop.cycles, 4);
}

/* A RAM segment of two pages, of which the program changes one. */
static const uint8_t segment_bytes[0x1800] = {[0] = 11, [0x10] = 22, [0x17ff] = 33};

static void load_segment(struct board *b, struct image *image)
{
    *image = (struct image){.entry = ROM_BASE,
                            .segments_count = 1,
                            .segments = {{ram + 0x800, {segment_bytes, sizeof segment_bytes}}}};
    struct msg msg;
    assert_int_equal(machine_load(b->machine, image, -1, &msg), 0);
    machine_reset(b->machine);
}

/* Puts `bne a0, zero` at `branch`, to where the program goes on. */
static void link_branch(struct board *b, uint32_t branch)
{
    uint32_t target = b->at;
    b->at = branch;
    put(b, bne, 0, A0, ZERO, (int32_t)(target - branch));
    b->at = target;
}

static void put_reset(struct board *b)
{
    put_li(b, T0, finisher);
    put_li(b, T1, 0x7777);
    put(b, sw, 0, T0, T1, 0);
    put(b, addi, T2, ZERO, 0, 99); /* never reached */
}

BOARD_TEST(guest_reset, writes_ram_segments_and_keeps_the_rest)
{
    struct image image;
    load_segment(b, &image);
    put_li(b, S0, ram + 0x800);
    put_li(b, S1, lambda);
    put_li(b, A5, OUT_BASE);
    put(b, lw, A0, S1, 0, 24); /* boot reason */
    put(b, lbu, A1, S0, 0, -1);
    put(b, lbu, A2, S0, 0, 0);
    put(b, lw, A3, S1, 0, 12);
    put(b, lw, A4, A5, 0, 0);
    put(b, csrrs, T0, ZERO, 0, MCYCLE);
    uint32_t branch = b->at;
    b->at += 4;
    put(b, addi, T1, ZERO, 0, 77);
    put(b, sb, 0, S0, T1, -1); /* before the segment */
    put(b, sb, 0, S0, T1, 0);  /* its first byte */
    put(b, sw, 0, A5, T1, 0);
    put(b, sw, 0, S1, T1, 12);
    put(b, sw, 0, S1, T1, 20);
    put_handler(b, HANDLER);
    put_reset(b);
    link_branch(b, branch);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], BOOT_WARM);
    assert_int_equal(b->stop.x[A1], 77);
    assert_int_equal(b->stop.x[A2], 11);
    assert_int_equal(b->stop.x[A3], 77);
    assert_int_equal(b->stop.x[A4], 77);
    assert_int_equal(b->stop.x[T0], 11); /* cycles since the reset */
    assert_int_equal(b->stop.x[T2], 0);
    assert_int_equal(b->stop.x[SP], 0x82000000);
    assert_int_equal(b->machine->hart->csr.mtvec, 0);
    assert_int_equal(machine_meta_reply_len(b->machine), 77);
    assert_int_equal(machine_out_len(b->machine), 77);
    assert_int_equal(b->stop.cycles, 27 + 13); /* the meter went on */
    machine_reset(b->machine);                 /* the pin: a new run */
    assert_int_equal(b->machine->boot, BOOT_COLD);
    assert_int_equal(machine_meta_reply_len(b->machine), 0);
    assert_int_equal(machine_out_len(b->machine), 1);
}

BOARD_TEST(guest_reset, forgets_a_crash)
{
    put_li(b, S1, lambda);
    put(b, lw, A0, S1, 0, 24);
    uint32_t branch = b->at;
    b->at += 4;
    put_handler(b, HANDLER);
    put_word(b, 0x0000000b);
    link_branch(b, branch);
    put_self_jump(b);
    b->at = HANDLER;
    put_reset(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], BOOT_WARM);
}

BOARD_TEST(dirty, marks_pages_of_a_segment_only_where_a_byte_changes)
{
    struct image image;
    load_segment(b, &image);
    const uint8_t *dirty = machine_ram_dirty(b->machine);
    assert_int_equal(dirty[0], 1); /* 11 is its first byte */
    assert_int_equal(dirty[1], 1);
    assert_int_equal(dirty[2], 0);
    memset(b->machine->hart->dirty, 0, GiB(4) / PAGE_SIZE);
    machine_reset(b->machine);
    assert_int_equal(dirty[0] + dirty[1] + dirty[2], 0);
    *at(b, ram + 0x1fff) = 5;
    machine_reset(b->machine);
    assert_int_equal(dirty[0], 0);
    assert_int_equal(dirty[1], 1);
    assert_int_equal(*at(b, ram + 0x1fff), 33);
}

BOARD_TEST(dirty, marks_exactly_what_the_guest_stores)
{
    put_li(b, S0, ram + 0x5000);
    put(b, sb, 0, S0, S0, -1); /* page 4 */
    put_li(b, S0, ram + 0x7000);
    put(b, sw, 0, S0, S0, -2); /* pages 6 and 7 */
    put_li(b, S0, ram + 0x9ffc);
    put(b, amoadd_w, A0, S0, S0, 0); /* page 9 */
    put_li(b, S0, ram + 0xb000);
    put(b, lw, A0, S0, 0, 0); /* none */
    put(b, lr_w, A0, S0, 0, 0);
    put(b, sc_w, A0, S0, S0, 0); /* page 11 */
    put(b, sc_w, A0, S0, S0, 0); /* fails */
    put_li(b, S0, ram + 0xd000);
    put(b, sc_w, A0, S0, S0, 0); /* fails: none */
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    const uint8_t *dirty = machine_ram_dirty(b->machine);
    for (uint32_t page = 0; page < RAM_SIZE / PAGE_SIZE; page++) {
        bool is_stored = page == 4 || page == 6 || page == 7 || page == 9 || page == 11;
        assert_int_equal(dirty[page], is_stored);
    }
}

BOARD_TEST(out_len, is_the_last_byte_that_is_not_zero)
{
    assert_int_equal(machine_out_len(b->machine), 0);
    put_li(b, S0, OUT_BASE + 0x1000);
    put(b, addi, A0, ZERO, 0, 65);
    put(b, sb, 0, S0, A0, 2);
    put(b, sw, 0, S0, ZERO, 0x100); /* zeros do not count */
    put(b, sb, 0, S0, A0, -1);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(machine_out_len(b->machine), 0x1003);
    *at(b, OUT_BASE + 0x1002) = 0;
    assert_int_equal(machine_out_len(b->machine), 0x1000);
    *at(b, OUT_BASE + 0xfff) = 0;
    assert_int_equal(machine_out_len(b->machine), 0);
}

BOARD_TEST(out_len, is_the_declared_one_where_there_is_one)
{
    put_li(b, S0, OUT_BASE);
    put_li(b, S1, lambda);
    put(b, addi, A0, ZERO, 0, 65);
    put(b, sb, 0, S0, A0, 9);
    put(b, sw, 0, S1, ZERO, 12);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(machine_out_len(b->machine), 0);
    b->at -= 8;
    put(b, sw, 0, S1, A0, 12);
    machine_reset(b->machine);
    hart_wrote(b->machine->hart, b->at - 4, 4);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(machine_out_len(b->machine), 65); /* its zeros count */
}

static const uint32_t tohost = 0x80001ffc;

/* Stores `value` by `word` (through a0 and a1) on a machine with tohost; a2 counts on. */
static enum halt run_tohost(struct board *b, uint32_t word, uint32_t address, uint32_t value)
{
    board_init(b, (struct machine_config){.cycles_max = 1000, .tohost = tohost});
    put_li(b, A0, address);
    put_li(b, A1, value);
    put_word(b, word);
    put(b, addi, A2, A2, 0, 1);
    put_self_jump(b);
    return run(b);
}

TEST(tohost, ends_the_run_at_an_odd_value)
{
    static const struct {
        enum op op;
        uint32_t offset, value;
        int code; /* -1: goes on */
    } rows[] = {{OP_sw, 0, 1, 0},
                {OP_sw, 0, 3, 1},
                {OP_sw, 0, 0x53, 0x29},
                {OP_sw, 0, 2, -1},
                {OP_sw, 0, 0, -1},
                {OP_sb, 0, 5, 2},
                {OP_sh, 0, 7, 3},
                {OP_sb, 1, 1, -1},
                {OP_sw, 4, 1, -1},
                {OP_sw, (uint32_t)-4, 1, -1},
                {OP_sw, (uint32_t)-2, 0x90000, 4},
                {OP_sw, 2, 1, -1},
                {OP_sw, (uint32_t)-0xffe, 1, -1}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct board b;
        bool is_going_on = rows[i].code < 0;
        uint32_t word = encode(rows[i].op, 0, A0, A1, 0);
        assert_int_equal(run_tohost(&b, word, tohost + rows[i].offset, rows[i].value),
                         HALT_POWER_DOWN);
        assert_int_equal(b.stop.x[A2], is_going_on);
        assert_int_equal(b.stop.exit_code, is_going_on ? 0 : rows[i].code);
        assert_int_equal(b.stop.cycles, is_going_on ? 6 : 5);
        board_deinit(&b);
    }
}

TEST(tohost, ends_the_run_by_an_amo_with_its_register_written)
{
    struct board b;
    run_tohost(&b, encode(OP_amoadd_w, A1, A0, A1, 0), tohost, 9);
    assert_int_equal(b.stop.halt, HALT_POWER_DOWN);
    assert_int_equal(b.stop.exit_code, 4);
    assert_int_equal(b.stop.x[A1], 0);
    assert_int_equal(b.stop.x[A2], 0);
    board_deinit(&b);
}

/* Traps, devices, a call, code in RAM, a reset and a power down: none needs memory. */
BOARD_TEST(run, allocates_nothing)
{
    put_li(b, S1, lambda);
    put(b, lw, A5, S1, 0, 24);
    put_handler(b, ROM_BASE + 0x100);
    put_word(b, 0x0000000b);
    b->at = ROM_BASE + 0x100;
    put_li(b, S0, ram);
    put_li(b, A0, 0x00008067); /* ret */
    put(b, sw, 0, S0, A0, 0);
    put(b, jalr, RA, S0, 0, 0);
    put_li(b, S1, uart);
    put(b, sb, 0, S1, A0, 0);
    put(b, addi, A0, ZERO, 0, 4);
    put(b, addi, A1, S0, 0, 0);
    put_word(b, 0x01f01013);
    put_word(b, 0x00100073);
    put_word(b, 0x40705013);
    put(b, beq, 0, A5, ZERO, 24);
    put_power_down(b, 3);
    put_li(b, T0, finisher);
    put_li(b, T1, 0x7777);
    put(b, sw, 0, T0, T1, 0);
    size_t before = allocations;
    assert_true(before > 0); /* the machine itself: the count works */
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(allocations, before);
    assert_int_equal(b->stop.exit_code, 3);
    assert_int_equal(b->console_len, 2);
    assert_int_equal(machine_out_len(b->machine), 4); /* two bytes up to a NUL, twice */
}

BOARD_TEST(runs, of_two_machines_do_not_meet)
{
    struct board other;
    board_init(&other, (struct machine_config){0});
    put(b, addi, A0, ZERO, 0, 1);
    put_self_jump(b);
    put(&other, addi, A0, ZERO, 0, 2);
    put_self_jump(&other);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(run(&other), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], 1);
    assert_int_equal(other.stop.x[A0], 2);
    board_deinit(&other);
}
