/* debug_test.c - motions forward and back, points, changes by hand, bounds of the history */
/* SPDX-License-Identifier: MIT */
#include "board.h"

#include "machine/debug.h"

enum {
    MTVEC = 0x305,
    MSCRATCH = 0x340,
    MCAUSE = 0x342,
    MCYCLE = 0xb00,
    MINSTRET = 0xb02,
    CYCLE = 0xc00,
    PC = 32
};

static bool is_memory_out;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return is_memory_out ? NULL : __real_calloc(count, size);
}

/* A board under a debugger, with a program that counts in RAM and prints a letter a round. */
struct bench {
    struct board board;
    struct debug *debug;
};

enum { AGAIN = ROM_BASE + 16, STORE = AGAIN + 4, PRINT = AGAIN + 8 };

static void bench_init(struct bench *t, uint64_t cycles_max)
{
    struct board *b = &t->board;
    board_init(b, (struct machine_config){.cycles_max = cycles_max});
    put(b, lui, A1, 0, 0, INT32_MIN);
    put_li(b, A2, uart);
    put(b, addi, A0, ZERO, 0, 64);
    put(b, addi, A0, A0, 0, 1); /* AGAIN */
    put(b, sw, 0, A1, A0, 0);
    put(b, sb, 0, A2, A0, 0);
    put(b, jal, 0, 0, 0, -12);
    machine_reset(b->machine);
    assert_int_equal(debug_create(b->machine, &t->debug), 0);
}

static void bench_deinit(struct bench *t)
{
    debug_destroy(t->debug);
    board_deinit(&t->board);
}

#define BENCH_TEST(subject, behaviour, cycles_max)              \
    static void bench_##subject##_##behaviour(struct bench *t); \
    TEST(subject, behaviour)                                    \
    {                                                           \
        struct bench t;                                         \
        bench_init(&t, cycles_max);                             \
        bench_##subject##_##behaviour(&t);                      \
        bench_deinit(&t);                                       \
    }                                                           \
    static void bench_##subject##_##behaviour(struct bench *t)

static enum debug_event go(struct bench *t, enum motion motion)
{
    enum debug_event event = DEBUG_BUSY;
    debug_begin(t->debug, motion);
    while (event == DEBUG_BUSY) {
        event = debug_go(t->debug);
    }
    return event;
}

static void add(struct bench *t, enum point_kind kind, uint32_t address, uint32_t len)
{
    assert_int_equal(debug_add(t->debug, &(struct point){kind, address, len}), 0);
}

#define assert_at(t, moment, place)                              \
    do {                                                         \
        assert_int_equal(debug_stop((t)->debug).cycles, moment); \
        assert_int_equal(debug_stop((t)->debug).pc, place);      \
    } while (0)

/* The first round begins at meter 4, each takes 4. */
BENCH_TEST(points, stop_where_they_should_both_ways, 1000)
{
    add(t, POINT_HARD_BREAK, PRINT, 4);
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_POINT);
    assert_at(t, 6, PRINT);
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_POINT);
    assert_at(t, 10, PRINT);
    assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_POINT);
    assert_at(t, 6, PRINT);
    assert_int_equal(debug_hit(t->debug).address, PRINT);
    assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_BEGIN);
    assert_at(t, 0, ROM_BASE);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_BEGIN);
    debug_remove(t->debug, &(struct point){POINT_HARD_BREAK, PRINT, 4});
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    assert_int_equal(debug_stop(t->debug).cycles, 1000);
}

/* Forward it is told before the store, back behind it. */
BENCH_TEST(watch, stops_before_what_the_motion_does, 1000)
{
    add(t, POINT_WRITE, ram, 4);
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_POINT);
    assert_at(t, 5, STORE);
    assert_int_equal(word_at(&t->board, ram), 0);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_POINT);
    assert_at(t, 5, STORE);
    debug_remove(t->debug, &(struct point){POINT_WRITE, ram, 4});
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    assert_int_equal(word_at(&t->board, ram), 65);
    add(t, POINT_WRITE, ram, 4);
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_POINT);
    assert_at(t, 9, STORE);
    assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_POINT);
    assert_at(t, 6, PRINT);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_POINT);
    assert_at(t, 6, PRINT);
    assert_int_equal(word_at(&t->board, ram), 65);
}

struct access_row {
    enum op op;
    enum point_kind kind;
    uint32_t at; /* of the watch, from the access's address */
    bool is_hit;
};

/* The word there is 7, which is what stores write where nothing is to change. */
static const struct access_row accesses[] = {
    {OP_lw, POINT_READ, 0, true},       {OP_lw, POINT_READ, 3, true},
    {OP_lw, POINT_READ, 4, false},      {OP_lb, POINT_READ, 0, true},
    {OP_lb, POINT_READ, 1, false},      {OP_lhu, POINT_READ, 1, true},
    {OP_lhu, POINT_READ, 2, false},     {OP_lw, POINT_WRITE, 0, false},
    {OP_lw, POINT_ACCESS, 0, true},     {OP_sw, POINT_READ, 0, false},
    {OP_sw, POINT_WRITE, 0, true},      {OP_sw, POINT_WRITE, 3, true},
    {OP_sw, POINT_WRITE, 4, false},     {OP_sb, POINT_WRITE, 0, true},
    {OP_sb, POINT_WRITE, 1, false},     {OP_sh, POINT_ACCESS, 1, true},
    {OP_amoadd_w, POINT_READ, 0, true}, {OP_amoadd_w, POINT_WRITE, 0, true},
    {OP_lr_w, POINT_READ, 0, true},     {OP_lr_w, POINT_WRITE, 0, false},
    {OP_sc_w, POINT_WRITE, 0, true},    {OP_sc_w, POINT_READ, 0, false},
    {OP_addi, POINT_ACCESS, 0, false},
};

static struct insn access_insn(enum op op, uint8_t source)
{
    bool is_load = op == OP_lw || op == OP_lb || op == OP_lhu || op == OP_lr_w || op == OP_addi;
    bool is_store = op == OP_sw || op == OP_sb || op == OP_sh;
    return (struct insn){(uint8_t)op, 4, is_store ? 0 : A3, A1, is_load ? 0 : source, 0};
}

BENCH_TEST(watch, sees_each_kind_of_access, 100000)
{
    static const uint32_t seven = 7;
    for (size_t i = 0; i < ARRAY_COUNT(accesses); i++) {
        const struct access_row *row = &accesses[i];
        const struct insn insn = access_insn(row->op, A4);
        const struct point p = {row->kind, ram + 0x100 + row->at, 1};
        uint32_t word;
        assert_true(isa_encode(&insn, &word));
        poke(&t->board, CALL, &word, sizeof word);
        assert_true(debug_write(t->debug, ram + 0x100, span_of(&seven, sizeof seven)));
        debug_set_register(t->debug, A1, ram + 0x100);
        debug_set_register(t->debug, A4, 9);
        debug_set_register(t->debug, PC, CALL);
        assert_int_equal(debug_add(t->debug, &p), 0);
        assert_int_equal(go(t, MOTION_STEP), row->is_hit ? DEBUG_POINT : DEBUG_STEPPED);
        debug_remove(t->debug, &p);
    }
}

BENCH_TEST(watch, of_writes_wants_a_change, 1000)
{
    debug_set_register(t->debug, PC, STORE);
    debug_set_register(t->debug, A1, ram);
    add(t, POINT_WRITE, ram, 4);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED); /* it writes the zero that is there */
}

static void assert_refused(struct bench *t, struct point p, int err)
{
    assert_int_equal(debug_add(t->debug, &p), err);
}

BENCH_TEST(points, are_bounded, 1000)
{
    assert_refused(t, (struct point){POINT_WRITE, ram, 0}, ERR_TOO_BIG);
    assert_refused(t, (struct point){POINT_WRITE, ram, DEBUG_POINT_BYTES_MAX + 1}, ERR_TOO_BIG);
    assert_refused(t, (struct point){POINT_WRITE, 0, 4}, ERR_ARGUMENT);
    assert_refused(t, (struct point){POINT_READ, ram + RAM_SIZE - 2, 4}, ERR_ARGUMENT);
    assert_refused(t, (struct point){POINT_READ, UINT32_MAX, 4}, ERR_ARGUMENT);
    for (uint32_t i = 0; i < DEBUG_POINTS_MAX; i++) {
        add(t, POINT_WRITE, ram + 4 * i, 4);
    }
    add(t, POINT_WRITE, ram, 4);
    assert_refused(t, (struct point){POINT_WRITE, ram, 8}, ERR_QUOTA);
    assert_refused(t, (struct point){POINT_SOFT_BREAK, ram, 2}, ERR_QUOTA);
    debug_remove(t->debug, &(struct point){POINT_WRITE, ram, 8});
    debug_remove(t->debug, &(struct point){POINT_WRITE, ram + 4, 4});
    add(t, POINT_SOFT_BREAK, ram, 2);
}

/* Everything that a run leaves, gathered by running plainly. */
static void assert_same_as_plain(struct bench *t, uint64_t cycles_max)
{
    struct bench plain;
    struct stop stop;
    bench_init(&plain, cycles_max);
    machine_run(plain.board.machine, &stop);
    struct stop here = debug_stop(t->debug);
    assert_memory_equal(here.x, stop.x, sizeof stop.x);
    assert_int_equal(here.cycles, stop.cycles);
    assert_int_equal(here.instructions, stop.instructions);
    assert_int_equal(here.pc, stop.pc);
    assert_int_equal(here.halt, stop.halt);
    assert_int_equal(word_at(&t->board, ram), word_at(&plain.board, ram));
    assert_int_equal(t->board.console_len, plain.board.console_len);
    assert_memory_equal(t->board.console, plain.board.console, plain.board.console_len);
    assert_memory_equal(machine_ram_dirty(t->board.machine), machine_ram_dirty(plain.board.machine),
                        RAM_SIZE / PAGE_SIZE);
    bench_deinit(&plain);
}

BENCH_TEST(way_back, repeats_the_run_and_not_the_console, 600)
{
    add(t, POINT_HARD_BREAK, AGAIN, 4);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_POINT);
    }
    for (int i = 0; i < 30; i++) {
        assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_POINT);
    }
    assert_int_equal(debug_stop(t->debug).cycles, 4 + 9 * 4);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
        assert_int_equal(debug_stop(t->debug).cycles, 40 - i - 1);
    }
    debug_remove(t->debug, &(struct point){POINT_HARD_BREAK, AGAIN, 4});
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    assert_same_as_plain(t, 600);
}

/* From an end one can go back, and come to the same end. */
BENCH_TEST(way_back, leads_out_of_the_end, 600)
{
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    assert_true(debug_is_ended(t->debug));
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_false(debug_is_ended(t->debug));
    assert_int_equal(debug_stop(t->debug).cycles, 599);
    assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_BEGIN);
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    assert_same_as_plain(t, 600);
}

/* A semihosting call takes many cycles at once; the moment before it is its beginning. */
BENCH_TEST(way_back, steps_over_a_call_of_many_cycles, 100000)
{
    static const uint32_t call[] = {0x01f01013, 0x00100073, 0x40705013};
    static const uint32_t write[] = {1, 0x80001000, 40000}; /* standard output */
    struct board *b = &t->board;
    poke(b, CALL, call, sizeof call);
    assert_true(debug_write(t->debug, ram + 16, span_of(write, sizeof write)));
    debug_set_register(t->debug, A0, 5);
    debug_set_register(t->debug, A1, ram + 16);
    debug_set_register(t->debug, PC, CALL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    }
    assert_int_equal(debug_stop(t->debug).cycles, 3 + 2500);
    assert_int_equal(machine_out_len(b->machine), 40000);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_at(t, 1, CALL + 4);
    assert_int_equal(machine_out_len(b->machine), 0);
}

BENCH_TEST(change, is_undone_by_going_back_before_it, 1000)
{
    static const uint32_t value = 0x1234;
    uint32_t seen = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    }
    debug_set_register(t->debug, A0, 80);
    assert_true(debug_write(t->debug, ram + 8, span_of(&value, sizeof value)));
    assert_true(debug_set_csr(t->debug, MSCRATCH, 9));
    go(t, MOTION_STEP);
    go(t, MOTION_STEP);
    assert_int_equal(word_at(&t->board, ram), 80);
    assert_int_equal(t->board.console[0], 80);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_int_equal(debug_stop(t->debug).x[A0], 80); /* the change's own moment */
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_int_equal(debug_stop(t->debug).x[A0], 64);
    assert_int_equal(word_at(&t->board, ram + 8), 0);
    assert_true(debug_csr(t->debug, MSCRATCH, &seen));
    assert_int_equal(seen, 0);
    for (int i = 0; i < 3; i++) {
        go(t, MOTION_STEP);
    }
    assert_int_equal(word_at(&t->board, ram), 65);
    assert_int_equal(t->board.console_len, 2); /* what comes now was never shown */
    assert_int_equal(t->board.console[1], 65);
}

BENCH_TEST(change, of_a_counter_is_seen_at_once, 1000)
{
    static const uint32_t counters[] = {MCYCLE, MINSTRET};
    for (size_t i = 0; i < ARRAY_COUNT(counters); i++) {
        uint32_t seen = 0;
        assert_true(debug_set_csr(t->debug, counters[i], 500));
        assert_true(debug_csr(t->debug, counters[i], &seen));
        assert_int_equal(seen, 500);
    }
    assert_int_equal(debug_stop(t->debug).cycles, 0);
    assert_false(debug_set_csr(t->debug, CYCLE, 1));
    assert_false(debug_set_csr(t->debug, 0x7ff, 1));
    assert_false(debug_set_csr(t->debug, 0xffffffff, 1));
}

/* A page that was written before the run is put back to that, not to zeros. */
TEST(way_back, keeps_what_ram_held)
{
    struct bench t;
    board_init(&t.board, (struct machine_config){.cycles_max = 1000});
    struct board *b = &t.board;
    machine_window(b->machine, WINDOW_RAM)[0] = 7; /* as a file would have it: not a store */
    machine_window(b->machine, WINDOW_RAM)[5000] = 8;
    put(b, lui, A1, 0, 0, INT32_MIN);
    put(b, sw, 0, A1, A1, 0);
    put(b, jal, 0, 0, 0, 0);
    machine_reset(b->machine);
    assert_int_equal(debug_create(b->machine, &t.debug), 0);
    assert_int_equal(go(&t, MOTION_CONTINUE), DEBUG_ENDED);
    assert_int_equal(word_at(b, ram), ram);
    assert_int_equal(go(&t, MOTION_BACK_CONTINUE), DEBUG_BEGIN);
    assert_int_equal(word_at(b, ram), 7);
    assert_int_equal(*at(b, ram + 5000), 8);
    assert_int_equal(machine_ram_dirty(b->machine)[0], 0);
    bench_deinit(&t);
}

/* Code in RAM: F adds 1 to A0, and its first word is replaced by A2, which adds 2. */
static const uint32_t f = 0x80000100;

struct patch_places {
    uint32_t patch; /* between the two calls of F */
    uint32_t end;
};

/* A bench of its own, whose program calls F twice; between them the guest may patch it. */
static struct patch_places patched_init(struct bench *t, bool is_by_guest)
{
    struct board *b = &t->board;
    struct patch_places places;
    board_init(b, (struct machine_config){.cycles_max = 100});
    const uint32_t code[] = {encode(OP_addi, A0, A0, 0, 1), encode(OP_jalr, 0, RA, 0, 0)};
    memcpy(at(b, f), code, sizeof code); /* as a file would have it: the page is clean */
    put_li(b, A1, f);
    put_li(b, A2, encode(OP_addi, A0, A0, 0, 2));
    put(b, jalr, RA, A1, 0, 0);
    places.patch = b->at;
    if (is_by_guest) {
        put(b, sw, 0, A1, A2, 0);
        put(b, fence_i, 0, 0, 0, 0);
    }
    put(b, jalr, RA, A1, 0, 0);
    places.end = b->at;
    put_self_jump(b);
    machine_reset(b->machine);
    assert_int_equal(debug_create(b->machine, &t->debug), 0);
    return places;
}

static void assert_a0_at(struct bench *t, enum motion motion, uint32_t place, uint32_t a0)
{
    add(t, POINT_HARD_BREAK, place, 4);
    assert_int_equal(go(t, motion), DEBUG_POINT);
    debug_remove(t->debug, &(struct point){POINT_HARD_BREAK, place, 4});
    assert_int_equal(debug_stop(t->debug).pc, place);
    assert_int_equal(debug_stop(t->debug).x[A0], a0);
}

/* What was run as it is now must not be run so where it was not yet. */
TEST(way_back, runs_code_in_ram_as_it_was)
{
    struct bench t;
    struct patch_places places = patched_init(&t, true);
    uint32_t before = word_at(&t.board, f);
    for (int i = 0; i < 2; i++) {
        assert_a0_at(&t, MOTION_CONTINUE, places.end, 1 + 2);
        assert_int_not_equal(word_at(&t.board, f), before);
        assert_a0_at(&t, MOTION_BACK_CONTINUE, places.patch, 1);
        assert_int_equal(word_at(&t.board, f), before);
    }
    bench_deinit(&t);
}

TEST(change, of_code_in_ram_is_run_and_undone)
{
    static const uint32_t nothing = 0x00000013;
    struct bench t;
    struct patch_places places = patched_init(&t, false);
    uint32_t before = word_at(&t.board, f);
    assert_a0_at(&t, MOTION_CONTINUE, places.patch, 1);
    assert_true(debug_write(t.debug, f, span_of(&nothing, sizeof nothing)));
    assert_a0_at(&t, MOTION_CONTINUE, places.end, 1);
    assert_a0_at(&t, MOTION_BACK_CONTINUE, f, 1);
    assert_int_equal(word_at(&t.board, f), nothing);
    assert_a0_at(&t, MOTION_BACK_CONTINUE, f, 0);
    assert_int_equal(word_at(&t.board, f), before);
    assert_a0_at(&t, MOTION_CONTINUE, places.end, 1 + 1);
    bench_deinit(&t);
}

/* Each checkpoint of this guest holds all of RAM; the last may pass the bound. */
TEST(history, holds_no_more_pages_than_it_may)
{
    enum { HELD_BYTES_MAX = 256 << 20 };
    struct bench t;
    struct board *b = &t.board;
    board_init(b, (struct machine_config){.cycles_max = 10000000});
    put(b, lui, A3, 0, 0, 1 << 12);
    put_li(b, A2, ram + RAM_SIZE);
    put(b, addi, A0, A0, 0, 1);
    put_li(b, A1, ram);
    put(b, sw, 0, A1, A0, 0);
    put(b, add, A1, A1, A3, 0);
    put(b, bltu, 0, A1, A2, -8);
    put(b, jal, 0, 0, 0, -24);
    machine_reset(b->machine);
    assert_int_equal(debug_create(b->machine, &t.debug), 0);
    assert_int_equal(go(&t, MOTION_CONTINUE), DEBUG_ENDED);
    struct history_size size = debug_history(t.debug);
    assert_int_equal(size.first, 0);
    assert_in_range(size.checkpoints, 4, 64);
    assert_in_range(size.bytes, RAM_SIZE, HELD_BYTES_MAX + RAM_SIZE);
    assert_int_equal(go(&t, MOTION_BACK_CONTINUE), DEBUG_BEGIN);
    assert_int_equal(word_at(b, ram), 0);
    bench_deinit(&t);
}

/* Far more moments than there are checkpoints; the earliest stays within reach. */
BENCH_TEST(history, is_bounded, 60000000)
{
    const uint32_t nop = encode(OP_addi, 0, 0, 0, 0);
    poke(&t->board, PRINT, &nop, sizeof nop); /* the board's console is short */
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    struct history_size size = debug_history(t->debug);
    assert_int_equal(size.first, 0);
    assert_in_range(size.checkpoints, 16, 64);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED);
    assert_int_equal(debug_stop(t->debug).cycles, 60000000 - 1);
    assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_BEGIN);
    assert_at(t, 0, ROM_BASE);
}

/* Each change is kept, so what must go is the earliest past. */
BENCH_TEST(history, gives_up_the_past_before_many_changes, 1000)
{
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
        debug_set_register(t->debug, A3, i);
    }
    struct history_size size = debug_history(t->debug);
    assert_in_range(size.checkpoints, 2, 64);
    assert_in_range(size.first, 1, 99);
    assert_int_equal(go(t, MOTION_BACK_CONTINUE), DEBUG_BEGIN);
    assert_int_equal(debug_stop(t->debug).cycles, size.first);
    assert_int_equal(debug_stop(t->debug).x[A3], size.first - 1);
}

/* A run that has ended goes on from where the debugger puts it. */
BENCH_TEST(change, revives_a_run_that_ended, 1000)
{
    static const uint32_t call[] = {0x01f01013, 0x00100073, 0x40705013}; /* fails: no such one */
    struct board *b = &t->board;
    uint32_t store = encode(OP_sw, 0, A1, A0, 0);
    poke(b, CALL, call, sizeof call);
    poke(b, HANDLER, &store, sizeof store);
    debug_set_register(t->debug, A0, 0x5555);
    debug_set_register(t->debug, A1, finisher);
    debug_set_register(t->debug, PC, HANDLER);
    assert_int_equal(go(t, MOTION_CONTINUE), DEBUG_ENDED);
    debug_set_register(t->debug, PC, CALL);
    assert_false(debug_is_ended(t->debug));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    }
}

/* Where the debugger leads is no trap's handler: a fetch that fails there is a trap of its own. */
BENCH_TEST(change, of_pc_leaves_the_handler, 1000)
{
    uint32_t cause = 0;
    assert_true(debug_set_csr(t->debug, MTVEC, HANDLER));
    debug_set_register(t->debug, PC, 0x1000);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    assert_int_equal(debug_stop(t->debug).pc, HANDLER);
    debug_set_register(t->debug, PC, 0x2000);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    assert_int_equal(debug_stop(t->debug).pc, HANDLER);
    assert_true(debug_csr(t->debug, MCAUSE, &cause));
    assert_int_equal(cause, 1);
    add(t, POINT_ACCESS, ram, 4); /* which has the instruction looked at: there is none */
    debug_set_register(t->debug, PC, 0);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    debug_set_register(t->debug, PC, ROM_BASE + PAGE_SIZE - 2);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
    debug_set_register(t->debug, PC, UINT32_MAX - 1);
    assert_int_equal(go(t, MOTION_STEP), DEBUG_STEPPED);
}

BENCH_TEST(history, without_memory_holds_no_run_up, 3 << 20)
{
    enum debug_event event = DEBUG_BUSY;
    t->board.at = PRINT; /* so much would not fit */
    put(&t->board, addi, ZERO, ZERO, 0, 0);
    is_memory_out = true;
    debug_begin(t->debug, MOTION_CONTINUE);
    for (int i = 0; i < 100 && event == DEBUG_BUSY; i++) {
        event = debug_go(t->debug);
    }
    is_memory_out = false;
    assert_int_equal(event, DEBUG_ENDED);
    assert_int_equal(debug_stop(t->debug).cycles, 3 << 20);
    assert_int_equal(debug_history(t->debug).checkpoints, 1);
    assert_int_equal(go(t, MOTION_BACK_STEP), DEBUG_STEPPED); /* the whole way from the first */
    assert_int_equal(debug_stop(t->debug).cycles, (3 << 20) - 1);
}
