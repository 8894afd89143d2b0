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
    {"POWER", 0x00100000, 0x1000, 2 | 4}, {"UART", 0x10000000, 0x100, 1},
    {"LAMBDA", 0x10010000, 0x1000, 4},    {"CLINT", 0x02000000, 0x10000, 0},
    {"PLIC", 0x0c000000, 0x600000, 0},
};

static const struct reg {
    uint32_t address;
    unsigned access;
} registers[] = {
    {0x00100000, W}, {0x10000000, W},     {0x10000005, R}, {0x10010000, R},     {0x10010004, R},
    {0x10010008, R}, {0x1001000c, R | W}, {0x10010010, R}, {0x10010014, R | W}, {0x10010018, R},
    {0x10010020, R}, {0x10010024, R},     {0x10010028, R}, {0x1001002c, R},     {0x10010030, R},
    {0x10010034, R}, {0x10010038, R},     {0x1001003c, R},
};

static const struct place {
    uint32_t base, size;
    unsigned access;
} windows[] = {
    {0x20000000, 32 << 20, R | X}, {0x22000000, 32 << 20, R},         {0x24000000, 32 << 20, R | W},
    {0x26000000, 64 << 10, R | W}, {0x80000000, 32 << 20, R | W | X},
};

static const struct width {
    unsigned bytes;
    enum op load, store;
} widths[] = {{1, OP_lbu, OP_sb}, {2, OP_lhu, OP_sh}, {4, OP_lw, OP_sw}};

static bool is_register(uint32_t address, unsigned access)
{
    for (size_t i = 0; i < ARRAY_COUNT(registers); i++) {
        if (registers[i].address == address && registers[i].access & access) {
            return true;
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

BOARD_TEST(device, that_is_not_built_faults_and_is_named)
{
    static const struct {
        uint32_t address;
        const char *name;
    } rows[] = {{0x02000000, "CLINT"},    {0x0200bff8, "CLINT"},   {0x0c000000, "PLIC"},
                {0x0c201004, "PLIC"},     {0x10010ffc, "LAMBDA"},  {0x100000, "POWER"},
                {0x82000000, "unmapped"}, {0x81ffffff, "RAM"},     {0x20000000, "ROM"},
                {0x24000000, "OUT"},      {0x10000105, "unmapped"}};
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
    uint32_t value;
    assert_false(load(b, &widths[2], 0x0200bff8, &value));
    assert_false(store(b, &widths[2], 0x0c201004, 1));
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
    assert_true(store(b, &widths[0], uart + 1, 'x')); /* interrupt enable: not listed */
    assert_false(store(b, &widths[1], uart, 'y'));
    assert_false(store(b, &widths[2], uart, 'z'));
    assert_int_equal(b->console_len, 2);
    assert_memory_equal(b->console, "A", 2);
    uint32_t value;
    assert_true(load(b, &widths[0], uart + 5, &value));
    assert_int_equal(value, 0x60);
    assert_int_equal(machine_out_len(b->machine), 0);
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
    } rows[] = {{0, 0x65746f4d},  {4, 1},           {8, 0x1234},      {12, 0},
                {16, 0x77},       {20, 0},          {24, 1},          {28, 0},
                {32, 0x3456789a}, {36, 0x12},       {48, 0x04030201}, {52, 0x08070605},
                {56, 0x0c0b0a09}, {60, 0x100f0e0d}, {64, 0},          {68, 0}};
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
    static const uint32_t holes[] = {0,          0xfff,      0x1fffffff, 0x26010000,
                                     0x28000000, 0x7fffffff, 0x82000000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_COUNT(holes); i++) {
        uint32_t value;
        assert_false(load(b, &widths[0], holes[i], &value));
        assert_false(store(b, &widths[0], holes[i], 0));
    }
}

#define DEVICE(name, base, size, widths, text) enum { name##_AT = (base) };
#define REGISTER(device, name, offset, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER

TEST(table, of_devices_is_what_guests_were_promised)
{
    static const struct device rows[] = {
#define DEVICE(name, base, size, widths, text) {#name, base, size, widths},
#define REGISTER(device, name, offset, access, text)
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
#define REGISTER(device, name, offset, access, text) {(uint32_t)device##_AT + (offset), access},
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    };
    assert_int_equal(ARRAY_COUNT(rows), ARRAY_COUNT(registers));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(rows[i].address, registers[i].address);
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
