/* device_test.c - every register at every width, and what is no register */
/* SPDX-License-Identifier: MIT */
#include "board.h"

enum { R = 1, W = 2, X = 4 };
enum { FETCH_FAULT = 1, LOAD_FAULT = 5, STORE_FAULT = 7 };

/* What docs/machine.md promises to guests, by hand; the last tests hold dev.def and mem.def against
 * it. A row that changes here breaks programs that are out in the world. */
static const struct device {
    const char *name;
    uint32_t base;
    uint32_t size;
    unsigned widths;
} devices[] = {
    {"POWER", 0x00100000, 0x1000, 2 | 4}, {"CLINT", 0x02000000, 0x10000, 4},
    {"PLIC", 0x0c000000, 0x600000, 4},    {"UART", 0x10000000, 0x100, 1},
    {"VIRTIO", 0x10001000, 0x8000, 4},    {"LAMBDA", 0x10010000, 0x1000, 4},
};

static const struct reg {
    uint32_t address;
    uint32_t count, stride;
    unsigned access;
} registers[] = {
    {0x00100000, 1, 0, W},      {0x02000000, 1, 0, R | W},  {0x02004000, 1, 0, R | W},
    {0x02004004, 1, 0, R | W},  {0x0200bff8, 1, 0, R | W},  {0x0200bffc, 1, 0, R | W},
    {0x0c000004, 96, 4, R | W}, {0x0c001000, 4, 4, R},      {0x0c002000, 4, 4, R | W},
    {0x0c200000, 1, 0, R | W},  {0x0c200004, 1, 0, R | W},  {0x10000000, 1, 0, R | W},
    {0x10000001, 1, 0, R | W},  {0x10000002, 1, 0, R | W},  {0x10000003, 1, 0, R | W},
    {0x10000004, 1, 0, R | W},  {0x10000005, 1, 0, R},      {0x10000006, 1, 0, R},
    {0x10000007, 1, 0, R | W},  {0x10001000, 8, 0x1000, R}, {0x10001004, 8, 0x1000, R},
    {0x10001008, 8, 0x1000, R}, {0x1000100c, 8, 0x1000, R}, {0x10010000, 1, 0, R},
    {0x10010004, 1, 0, R},      {0x10010008, 1, 0, R},      {0x1001000c, 1, 0, R | W},
    {0x10010010, 1, 0, R},      {0x10010014, 1, 0, R | W},  {0x10010018, 1, 0, R},
    {0x10010020, 1, 0, R},      {0x10010024, 1, 0, R},      {0x10010028, 1, 0, R},
    {0x1001002c, 1, 0, R},      {0x10010030, 1, 0, R},      {0x10010034, 1, 0, R},
    {0x10010038, 1, 0, R},      {0x1001003c, 1, 0, R},      {0x10010040, 1, 0, R | W},
    {0x10010044, 1, 0, R},
};

static const struct place {
    uint32_t base, size;
    unsigned access;
} windows[] = {
    {0x00001000, 60 << 10, R},     {0x20000000, 32 << 20, R | X}, {0x22000000, 32 << 20, R},
    {0x24000000, 32 << 20, R | W}, {0x26000000, 64 << 10, R | W}, {0x80000000, 32 << 20, R | W | X},
};

static const struct width {
    unsigned bytes;
    enum op load, store;
} widths[] = {{1, OP_lbu, OP_sb}, {2, OP_lhu, OP_sh}, {4, OP_lw, OP_sw}};

static bool is_register(uint32_t address, unsigned access)
{
    for (size_t i = 0; i < ARRAY_COUNT(registers); i++) {
        const struct reg *r = &registers[i];
        for (uint32_t n = 0; n < r->count; n++) {
            if (r->address + n * r->stride == address && r->access & access) {
                return true;
            }
        }
    }
    return false;
}

static bool load(struct board *b, const struct width *width, uint32_t address, uint32_t *ret_value)
{
    b->at = ROM_BASE;
    x_of(b)[A0] = address;
    x_of(b)[A1] = 0x5eed5eed;
    bool is_fault = is_trapping(b, encode(width->load, A1, A0, 0, 0));
    *ret_value = x_of(b)[A1];
    if (is_fault) {
        assert_trap(b, LOAD_FAULT, address);
        assert_int_equal(*ret_value, 0x5eed5eed);
    }
    return !is_fault;
}

static bool store(struct board *b, const struct width *width, uint32_t address, uint32_t value)
{
    b->at = ROM_BASE;
    x_of(b)[A0] = address;
    x_of(b)[A1] = value;
    bool is_fault = is_trapping(b, encode(width->store, 0, A0, A1, 0));
    if (is_fault) {
        assert_trap(b, STORE_FAULT, address);
    }
    return !is_fault;
}

TEST(device, answers_its_widths_aligned_and_no_other)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 10000000});
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++) {
        const struct device *d = &devices[i];
        for (uint32_t offset = 0; offset < 0x110; offset++) {
            for (size_t n = 0; n < ARRAY_COUNT(widths); n++) {
                const struct width *w = &widths[n];
                uint32_t address = d->base + offset;
                bool is_right = offset < d->size && d->widths & w->bytes && offset % w->bytes == 0;
                uint32_t value;
                assert_int_equal(load(&b, w, address, &value), is_right);
                if (is_right && !is_register(address, R)) {
                    assert_int_equal(value, 0);
                }
                assert_int_equal(store(&b, w, address, 0), is_right);
            }
        }
        assert_int_equal(b.machine->out_len, 0);
    }
    board_deinit(&b);
}

BOARD_TEST(device, takes_no_atomic_and_no_fetch)
{
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++) {
        b->at = ROM_BASE;
        x_of(b)[A0] = devices[i].base;
        x_of(b)[A1] = 0x5555;
        assert_true(is_trapping(b, encode(OP_amoswap_w, A2, A0, A1, 0)));
        assert_trap(b, STORE_FAULT, devices[i].base);
        assert_true(is_trapping(b, encode(OP_sc_w, A2, A0, A1, 0)));
        assert_trap(b, STORE_FAULT, devices[i].base);
        assert_true(is_trapping(b, encode(OP_lr_w, A2, A0, 0, 0)));
        assert_trap(b, LOAD_FAULT, devices[i].base);
        assert_false(is_trapping(b, encode(OP_jalr, RA, A0, 0, 0)));
        assert_true(machine_step(b->machine, &b->stop));
        assert_int_equal(b->stop.pc, HANDLER);
        assert_int_equal(b->machine->hart->csr.mcause, FETCH_FAULT);
        assert_int_equal(b->machine->hart->csr.mtval, devices[i].base);
    }
    assert_int_equal(b->console_len, 0);
}

TEST(device, is_named_by_its_place)
{
    static const struct {
        uint32_t address;
        const char *name;
    } rows[] = {{0x02000000, "CLINT"},    {0x0200bff8, "CLINT"},    {0x0c000000, "PLIC"},
                {0x0c201004, "PLIC"},     {0x10010ffc, "LAMBDA"},   {0x100000, "POWER"},
                {0x82000000, "unmapped"}, {0x81ffffff, "RAM"},      {0x20000000, "ROM"},
                {0x24000000, "OUT"},      {0x10000105, "unmapped"}, {0x1000, "DTB"},
                {0x10008ffc, "VIRTIO"},   {0x10009000, "unmapped"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[MTVAL_TEXT_MAX];
        const struct stop stop = {.mcause = LOAD_FAULT, .mtval = rows[i].address};
        machine_mtval_text(&stop, text);
        assert_non_null(strstr(text, rows[i].name));
        assert_memory_equal(machine_place_text(PROFILE_VIRT, rows[i].address), rows[i].name,
                            strlen(rows[i].name));
    }
    static const uint32_t without[] = {8, 11, 12, 0x80000007};
    for (size_t i = 0; i < ARRAY_COUNT(without); i++) { /* an ecall, and what a guest made up */
        char text[MTVAL_TEXT_MAX];
        const struct stop stop = {.mcause = without[i], .mtval = 0};
        machine_mtval_text(&stop, text);
        assert_string_equal(text, "mtval 0x00000000");
    }
}

/* Every register and every place near one, at every width and alignment, read and written, with
 * every bit of the value. Nothing but what the table says answers, and nothing but the finisher
 * ends. */
TEST(device, stands_any_access_anywhere)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = ~0ull});
    static const uint32_t values[] = {0, 1, 0x80, 0xffffffff, 0x55aa55aa};
    for (size_t i = 0; i < ARRAY_COUNT(registers); i++) {
        const struct reg *r = &registers[i];
        const struct device *d = devices;
        while (r->address - d->base >= d->size) {
            d++;
        }
        for (uint32_t n = 0; n < 3 * r->count * 8; n++) {
            uint32_t address = r->address - 4 + n / 8 * (r->stride ? r->stride : 4) + n % 8;
            for (size_t w = 0; w < ARRAY_COUNT(widths); w++) {
                bool is_right = address - d->base < d->size && d->widths & widths[w].bytes &&
                                address % widths[w].bytes == 0;
                uint32_t value;
                if (address - d->base >= d->size || address < d->base) {
                    continue; /* another device's, which has its own turn */
                }
                assert_int_equal(load(&b, &widths[w], address, &value), is_right);
                assert_int_equal(store(&b, &widths[w], address, values[n % ARRAY_COUNT(values)]),
                                 is_right);
                b.console_len = 0;
            }
        }
    }
    assert_int_equal(b.machine->request, REQUEST_NONE);
    board_deinit(&b);
}

BOARD_TEST(finisher, powers_down_with_a_code)
{
    static const struct {
        size_t width;
        uint32_t value;
        int code; /* -1: goes on */
    } rows[] = {{2, 0x5555, 0},     {1, 0x5555, 0},     {2, 0x00073333, 7}, {2, 0xffff3333, 65535},
                {1, 0x00073333, 0}, {2, 0x00095555, 0}, {2, 0, -1},         {2, 0x3332, -1},
                {1, 0x1234, -1},    {2, 0x33335554, -1}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        machine_reset(b->machine);
        b->at = ROM_BASE;
        put_li(b, A0, finisher);
        put_li(b, A1, rows[i].value);
        put_word(b, encode(widths[rows[i].width].store, 0, A0, A1, 0));
        put(b, addi, A2, ZERO, 0, 1);
        put_li(b, A1, 0x2a3333);
        put(b, sw, 0, A0, A1, 0);
        assert_int_equal(run(b), HALT_POWER_DOWN);
        bool is_going_on = rows[i].code < 0;
        assert_int_equal(b->stop.exit_code, is_going_on ? 0x2a : rows[i].code);
        assert_int_equal(b->stop.x[A2], is_going_on);
        assert_int_equal(b->stop.cycles, is_going_on ? 9 : 5);
        assert_int_equal(b->stop.instructions, b->stop.cycles);
        assert_int_equal(b->stop.pc, ROM_BASE + (is_going_on ? 36 : 20));
    }
}

BOARD_TEST(finisher, hears_its_first_halfword_only)
{
    assert_true(store(b, &widths[1], finisher + 2, 0x5555));
    assert_true(store(b, &widths[2], finisher + 4, 0x5555));
    assert_false(store(b, &widths[0], finisher, 0x55));
}

BOARD_TEST(uart, writes_the_console)
{
    assert_true(store(b, &widths[0], uart, 0x1241));
    assert_true(store(b, &widths[0], uart, 0));
    assert_false(store(b, &widths[1], uart, 'y'));
    assert_false(store(b, &widths[2], uart, 'z'));
    assert_int_equal(b->console_len, 2);
    assert_memory_equal(b->console, "A", 2);
    uint32_t value;
    assert_true(load(b, &widths[0], uart + 5, &value));
    assert_int_equal(value, 0x60);
    assert_int_equal(machine_out_len(b->machine), 0);
}

/* A polling guest reads it all, though its line holds less. */
BOARD_TEST(uart, reads_the_console)
{
    static uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    machine_set_console_in(b->machine, span_of(bytes, sizeof bytes));
    uint32_t value;
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_true(load(b, &widths[0], uart + 5, &value));
        assert_int_equal(value, 0x61);
        assert_true(load(b, &widths[0], uart, &value));
        assert_int_equal(value, bytes[i]);
    }
    assert_true(load(b, &widths[0], uart + 5, &value));
    assert_int_equal(value, 0x60);
}

/* What waits on the line outlives a reset; what was received does not. */
BOARD_TEST(uart, keeps_its_line_over_a_reset)
{
    machine_set_console_in(b->machine, span_of("abc", 3));
    uint32_t value;
    assert_true(load(b, &widths[0], uart + 5, &value)); /* `a` is received */
    machine_reset(b->machine);
    assert_true(load(b, &widths[0], uart, &value));
    assert_int_equal(value, 'b');
}

static uint32_t get(struct board *b, uint32_t address)
{
    uint32_t value;
    assert_true(load(b, &widths[2], address, &value));
    return value;
}

static void set(struct board *b, uint32_t address, uint32_t value)
{
    assert_true(store(b, &widths[2], address, value));
}

BOARD_TEST(clint, holds_time_and_its_comparison)
{
    const uint32_t clint = 0x02000000;
    assert_int_equal(get(b, clint + 0x4000), ~0u);
    assert_int_equal(get(b, clint + 0x4004), ~0u);
    set(b, clint + 0x4000, 0x12345678);
    set(b, clint + 0x4004, 0x9abcdef0);
    assert_int_equal(get(b, clint + 0x4000), 0x12345678);
    assert_int_equal(get(b, clint + 0x4004), 0x9abcdef0);
    set(b, clint, ~0u);
    assert_int_equal(get(b, clint), 1);
    set(b, clint, 2);
    assert_int_equal(get(b, clint), 0);
    assert_int_equal(get(b, clint + 0xbffc), 0);
    set(b, clint + 0xbffc, 7);
    set(b, clint + 0xbff8, 0xffffffff);
    assert_int_equal(get(b, clint + 0xbff8), 0xffffffff);
    assert_int_equal(get(b, clint + 0xbffc), 7);
    b->machine->hart->cycles += 10;
    assert_int_equal(get(b, clint + 0xbffc), 8); /* the carry */
    assert_int_equal(get(b, clint + 4), 0);      /* hart 1's msip: there is no hart 1 */
    set(b, clint + 4, 1);
    assert_int_equal(get(b, clint + 4), 0);
    machine_reset(b->machine);
    assert_int_equal(get(b, clint + 0x4000), ~0u);
    assert_int_equal(get(b, clint + 0xbff8), 0);
}

/* Written by an instruction, read by the next: whatever the meter's phase. */
BOARD_TEST(clint, shows_the_time_that_was_written)
{
    for (int nops = 0; nops < 12; nops++) {
        machine_reset(b->machine);
        b->at = ROM_BASE;
        put_li(b, A0, 0x0200c000);
        put_li(b, A1, 1234);
        for (int i = 0; i < nops; i++) {
            put(b, addi, 0, 0, 0, 0);
        }
        put(b, sw, 0, A0, A1, -8);
        put(b, lw, A2, A0, 0, -8);
        put_self_jump(b);
        assert_int_equal(run(b), HALT_POWER_DOWN);
        assert_int_equal(b->stop.x[A2], 1234);
    }
}

/* The half that is not written goes on as if nothing had been, and carries into what was written
 * only later. */
BOARD_TEST(clint, takes_one_half_of_the_time)
{
    for (int nops = 0; nops < 12; nops++) {
        machine_reset(b->machine);
        b->at = ROM_BASE;
        put_li(b, A0, 0x0200c000);
        put_li(b, A1, ~0u);
        put(b, sw, 0, A0, A1, -8);
        for (int i = 0; i < nops; i++) {
            put(b, addi, 0, 0, 0, 0);
        }
        put(b, addi, A1, ZERO, 0, 5);
        put(b, sw, 0, A0, A1, -4);
        put(b, lw, A2, A0, 0, -4);
        put(b, lw, A3, A0, 0, -8);
        put_self_jump(b);
        assert_int_equal(run(b), HALT_POWER_DOWN);
        assert_int_equal(b->stop.x[A2], 5);
        /* Written at cycle 4, read at 8 and the nops. */
        assert_int_equal(b->stop.x[A3], ~0u + (uint32_t)(nops + 8) / 10);
    }
}

BOARD_TEST(plic, has_the_uart_at_source_10)
{
    const uint32_t plic = 0x0c000000;
    set(b, plic + 4 * 10, 0xffffffff);
    assert_int_equal(get(b, plic + 4 * 10), 7);
    set(b, plic + 0x2000, 0xffffffff);
    assert_int_equal(get(b, plic + 0x2000), 0xfffffffe); /* source 0 is none */
    set(b, plic + 0x200c, 0xffffffff);
    assert_int_equal(get(b, plic + 0x200c), 1); /* source 96 is the last */
    assert_int_equal(get(b, plic + 0x1000), 0);
    assert_true(store(b, &widths[0], uart + 1, 2)); /* transmitter empty */
    assert_int_equal(get(b, plic + 0x1000), 1 << 10);
    set(b, plic + 0x1000, 0);
    assert_int_equal(get(b, plic + 0x1000), 1 << 10);
    set(b, plic + 0x200000, 7);
    assert_int_equal(get(b, plic + 0x200004), 10); /* whatever the threshold */
    assert_int_equal(get(b, plic + 0x200004), 0);
    set(b, plic + 0x200004, 10); /* the line is still up: pending again */
    assert_int_equal(get(b, plic + 0x1000), 1 << 10);
    uint32_t value;
    assert_true(load(b, &widths[0], uart + 2, &value));
    assert_int_equal(value, 2);
    assert_int_equal(get(b, plic + 0x200004), 10);
    set(b, plic + 0x200004, 10);
    assert_int_equal(get(b, plic + 0x1000), 0);
    /* Contexts that do not exist. */
    set(b, plic + 0x2080, ~0u);
    set(b, plic + 0x201000, 1);
    assert_int_equal(get(b, plic + 0x2080) | get(b, plic + 0x201000) | get(b, plic + 0x201004), 0);
}

BOARD_TEST(virtio, has_eight_empty_slots)
{
    for (uint32_t slot = 0x10001000; slot < 0x10009000; slot += 0x1000) {
        assert_int_equal(get(b, slot), 0x74726976);
        assert_int_equal(get(b, slot + 4), 2);
        assert_int_equal(get(b, slot + 8), 0);
        assert_int_equal(get(b, slot + 12), 0x65746f4d);
        set(b, slot + 0x70, ~0u);
        assert_int_equal(get(b, slot + 0x70), 0);
    }
}

TEST(lambda, has_leds_and_buttons)
{
    struct board b;
    board_init(&b, (struct machine_config){.buttons = 0x80000005});
    assert_int_equal(get(&b, lambda + 68), 0x80000005);
    set(&b, lambda + 68, 0);
    assert_int_equal(get(&b, lambda + 68), 0x80000005);
    assert_int_equal(machine_leds(b.machine), 0);
    set(&b, lambda + 64, 0xdeadbeef);
    assert_int_equal(get(&b, lambda + 64), 0xdeadbeef);
    assert_int_equal(machine_leds(b.machine), 0xdeadbeef);
    machine_reset(b.machine);
    assert_int_equal(machine_leds(b.machine), 0);
    board_deinit(&b);
}

TEST(lambda, tells_what_the_host_set)
{
    struct board b;
    struct machine_config config = {.cycles_max = 0x123456789a, .boot = BOOT_WARM};
    for (unsigned i = 0; i < sizeof config.seed; i++) {
        config.seed[i] = (uint8_t)(i + 1);
    }
    board_init(&b, config);
    machine_set_in_len(b.machine, 0x1234);
    machine_set_meta_len(b.machine, 0x77);
    static const struct {
        uint32_t offset, value;
    } rows[] = {{0, 0x65746f4d},  {4, 1},           {8, 0x1234},      {12, 0},          {16, 0x77},
                {20, 0},          {24, 1},          {28, 0},          {32, 0x3456789a}, {36, 0x12},
                {48, 0x04030201}, {52, 0x08070605}, {56, 0x0c0b0a09}, {60, 0x100f0e0d}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t value;
        assert_true(load(&b, &widths[2], lambda + rows[i].offset, &value));
        assert_int_equal(value, rows[i].value);
        if (rows[i].offset != 12 && rows[i].offset != 20) { /* the two that may be written */
            assert_true(store(&b, &widths[2], lambda + rows[i].offset, 0xffffffff));
            assert_true(load(&b, &widths[2], lambda + rows[i].offset, &value));
            assert_int_equal(value, rows[i].value);
        }
    }
    board_deinit(&b);
}

BOARD_TEST(lambda, reads_the_cycles_before_the_reading_instruction)
{
    put_li(b, A0, lambda);
    put(b, lw, A1, A0, 0, 40);
    put(b, lw, A2, A0, 0, 40);
    put(b, lw, A3, A0, 0, 44);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A1], 2);
    assert_int_equal(b->stop.x[A2], 3);
    assert_int_equal(b->stop.x[A3], 0);
}

BOARD_TEST(lambda, clamps_what_the_guest_declares)
{
    static const struct {
        uint32_t value, out, meta;
    } rows[] = {{0, 0, 0},
                {32768, 32768, 32768},
                {32769, 32769, 32768},
                {OUT_SIZE, OUT_SIZE, 32768},
                {OUT_SIZE + 1, OUT_SIZE, 32768},
                {~0u, OUT_SIZE, 32768}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t value;
        assert_true(store(b, &widths[2], lambda + 12, rows[i].value));
        assert_true(store(b, &widths[2], lambda + 20, rows[i].value));
        assert_int_equal(machine_out_len(b->machine), rows[i].out);
        assert_int_equal(machine_meta_reply_len(b->machine), rows[i].meta);
        assert_true(load(b, &widths[2], lambda + 12, &value));
        assert_int_equal(value, rows[i].out);
        assert_true(load(b, &widths[2], lambda + 20, &value));
        assert_int_equal(value, rows[i].meta);
    }
}

BOARD_TEST(lambda, takes_no_part_of_a_length)
{
    assert_true(store(b, &widths[2], lambda + 12, 99));
    assert_false(store(b, &widths[0], lambda + 12, 5));
    assert_false(store(b, &widths[1], lambda + 12, 5));
    assert_false(store(b, &widths[2], lambda + 13, 5));
    assert_false(store(b, &widths[1], lambda + 14, 5));
    assert_int_equal(machine_out_len(b->machine), 99);
}

BOARD_TEST(window, allows_what_its_row_says)
{
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        uint32_t base = windows[i].base, end = base + windows[i].size;
        uint32_t value;
        bool is_writable = windows[i].access & W;
        assert_true(load(b, &widths[0], base + 64, &value));
        assert_true(load(b, &widths[2], end - 4, &value));
        assert_int_equal(store(b, &widths[2], base + 64, 0x6f), is_writable);
        assert_int_equal(store(b, &widths[0], end - 1, 0), is_writable);
        b->at = ROM_BASE;
        x_of(b)[A0] = end - 4; /* zeros there: an illegal instruction where it may be fetched */
        assert_false(is_trapping(b, encode(OP_jalr, RA, A0, 0, 0)));
        assert_true(machine_step(b->machine, &b->stop));
        assert_int_equal(b->machine->hart->csr.mcause, windows[i].access & X ? 2 : FETCH_FAULT);
    }
    static const uint32_t holes[] = {0,          0xfff,      0x10000,    0x1fffffff, 0x26010000,
                                     0x28000000, 0x7fffffff, 0x82000000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_COUNT(holes); i++) {
        uint32_t value;
        assert_false(load(b, &widths[0], holes[i], &value));
        assert_false(store(b, &widths[0], holes[i], 0));
    }
}

#define DEVICE(name, base, size, widths, text) enum { name##_AT = (base) };
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER

TEST(table, of_devices_is_what_guests_were_promised)
{
    static const struct device rows[] = {
#define DEVICE(name, base, size, widths, text) {#name, base, size, widths},
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    };
    assert_int_equal(ARRAY_COUNT(rows), ARRAY_COUNT(devices));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_string_equal(rows[i].name, devices[i].name);
        assert_int_equal(rows[i].base, devices[i].base);
        assert_int_equal(rows[i].size, devices[i].size);
        assert_int_equal(rows[i].widths, devices[i].widths);
    }
}

TEST(table, of_registers_is_what_guests_were_promised)
{
    static const struct reg rows[] = {
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, count, stride, access, text) \
    {(uint32_t)device##_AT + (offset), count, stride, access},
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    };
    assert_int_equal(ARRAY_COUNT(rows), ARRAY_COUNT(registers));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(rows[i].address, registers[i].address);
        assert_int_equal(rows[i].count, registers[i].count);
        assert_int_equal(rows[i].stride, registers[i].stride);
        assert_int_equal(rows[i].access, registers[i].access);
    }
}

TEST(table, of_windows_is_what_guests_were_promised)
{
    static const struct place rows[] = {
#define WINDOW(name, base, size, access, text) {base, size, access},
#include "abi/mem.def"
#undef WINDOW
    };
    assert_int_equal(ARRAY_COUNT(rows), ARRAY_COUNT(windows));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(rows[i].base, windows[i].base);
        assert_int_equal(rows[i].size, windows[i].size);
        assert_int_equal(rows[i].access, windows[i].access);
    }
    assert_int_equal(META_REQUEST_AT, 0);
    assert_int_equal(META_REQUEST_MAX, 0x8000);
    assert_int_equal(META_REPLY_AT, 0x8000);
    assert_int_equal(META_REPLY_MAX, 0x8000);
}
