/* window_test.c - files over windows: private or in place, zeros behind them, and tohost's pages */
/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <stdio.h>
#include <unistd.h>

/* A file of `size` bytes, each of them 0xa5, that goes when it is closed. */
static FILE *file_of(size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(fputc(0xa5, file), 0xa5);
    }
    assert_int_equal(fflush(file), 0);
    return file;
}

static int map(struct board *b, enum window window, FILE *file, uint64_t size, enum map_mode mode)
{
    const struct window_file what = {fileno(file), size, mode};
    struct msg msg = {""};
    int err = machine_map_file(b->machine, window, &what, &msg);
    assert_true(!err == !msg.text[0]);
    return err;
}

/* Stores a0's low byte at RAM and at RAM + 1000, where the file is not, and powers down. */
static void run_stores(struct board *b)
{
    put_li(b, S0, ram);
    put(b, lbu, A0, S0, 0, 999);
    put(b, lbu, A1, S0, 0, 1000);
    put(b, addi, A2, ZERO, 0, 7);
    put(b, sb, 0, S0, A2, 0);
    put(b, sb, 0, S0, A2, 1000);
    put_self_jump(b);
    assert_int_equal(run(b), HALT_POWER_DOWN);
    assert_int_equal(b->stop.x[A0], 0xa5);
    assert_int_equal(b->stop.x[A1], 0);
    assert_int_equal(*at(b, ram), 7);
    assert_int_equal(*at(b, ram + 1000), 7);
}

static int byte_of(FILE *file, long offset)
{
    uint8_t byte;
    ssize_t count = pread(fileno(file), &byte, 1, offset);
    return count == 1 ? byte : -1;
}

BOARD_TEST(file, mapped_as_a_copy_is_never_written)
{
    FILE *file = file_of(1000);
    assert_int_equal(map(b, WINDOW_RAM, file, 1000, MAP_PRIVATE_COPY), 0);
    run_stores(b);
    assert_int_equal(byte_of(file, 0), 0xa5);
    assert_int_equal(byte_of(file, 1000), -1);
    fclose(file);
}

BOARD_TEST(file, mapped_in_place_takes_the_stores)
{
    FILE *file = file_of(1000);
    assert_int_equal(map(b, WINDOW_RAM, file, 1000, MAP_IN_PLACE), 0);
    run_stores(b);
    assert_int_equal(byte_of(file, 0), 7);
    assert_int_equal(byte_of(file, 1), 0xa5);
    assert_int_equal(byte_of(file, 1000), -1); /* it did not grow */
    fclose(file);
}

BOARD_TEST(file, over_its_windows_size_is_refused)
{
    FILE *file = file_of(1);
    assert_int_equal(map(b, WINDOW_IN, file, IN_SIZE + 1ull, MAP_PRIVATE_COPY), ERR_TOO_BIG);
    assert_int_equal(map(b, WINDOW_META, file, META_SIZE + 1ull, MAP_PRIVATE_COPY), ERR_TOO_BIG);
    assert_int_equal(map(b, WINDOW_RAM, file, 1ull << 32, MAP_PRIVATE_COPY), ERR_TOO_BIG);
    assert_int_equal(map(b, WINDOW_IN, file, 0, MAP_PRIVATE_COPY), 0);
    assert_int_equal(*machine_window(b->machine, WINDOW_IN), 0);
    fclose(file);
}

/* A word over two pages is watched in both of them. */
TEST(tohost, over_a_pages_end_is_seen_from_both_sides)
{
    static const struct {
        int32_t offset;
        uint32_t value;
        bool is_end;
    } rows[] = {{0, 1, true}, {2, 1, false}, {3, 1, false}, {4, 1, false}, {-4, 1, false}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct board b;
        const uint32_t tohost = ram + 0xffe;
        board_init(&b, (struct machine_config){.cycles_max = 100, .tohost = tohost});
        put_li(&b, S0, tohost + (uint32_t)rows[i].offset);
        put(&b, addi, A0, ZERO, 0, (int32_t)rows[i].value);
        put(&b, sh, 0, S0, A0, 0);
        put(&b, addi, A1, ZERO, 0, 1);
        put_self_jump(&b);
        assert_int_equal(run(&b), HALT_POWER_DOWN);
        assert_int_equal(b.stop.x[A1], rows[i].is_end ? 0x1000 : 1);
        board_deinit(&b);
    }
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 100, .tohost = ram + 0xffe});
    *at(&b, ram + 0xffe) = 1; /* as an earlier run left it */
    put_li(&b, S0, ram + 0x1000);
    put(&b, addi, A0, ZERO, 0, 2);
    put(&b, sh, 0, S0, A0, 0);
    put_self_jump(&b);
    assert_int_equal(run(&b), HALT_POWER_DOWN);
    assert_int_equal(b.stop.exit_code, 0x10000);
    board_deinit(&b);
}

/* Data at the start, behind a short hole, behind a long one and at the very end of the window. */
BOARD_TEST(file, with_holes_is_whole_where_it_has_data)
{
    static const long places[] = {0, 3 * 4096L, 3 * 4096L + 4095, 1024 * 1024L + 5, RAM_SIZE - 1L};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), RAM_SIZE), 0);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        uint8_t byte = (uint8_t)(i + 1);
        assert_int_equal(pwrite(fileno(file), &byte, 1, places[i]), 1);
    }
    assert_int_equal(map(b, WINDOW_RAM, file, RAM_SIZE, MAP_PRIVATE_COPY), 0);
    uint8_t *window = machine_window(b->machine, WINDOW_RAM);
    uint32_t sum = 0;
    for (size_t i = 0; i < RAM_SIZE; i++) {
        sum += window[i];
    }
    assert_int_equal(sum, 1 + 2 + 3 + 4 + 5);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        assert_int_equal(window[places[i]], i + 1);
        window[places[i] ^ 0x10000] = 9; /* stores stay here, over holes as over data */
        assert_int_equal(byte_of(file, places[i] ^ 0x10000), 0);
    }
    fclose(file);
}

/* Wherever a segment begins and ends, in its page and in the file's, the window has its bytes. */
TEST(image, is_the_same_mapped_as_copied)
{
    static const struct {
        uint32_t offset, address, len;
    } rows[] = {
        {0, 0, 3 * 4096},        {0, 0, 5000},       {16, 16, 4095},
        {16, 16, 3 * 4096 - 16}, {16, 16, 4 * 4096}, {4096, 2 * 4096, 4097},
        {20, 4, 3 * 4096},       {100, 100, 1},      {4095, 4095, 4098},
    };
    static uint8_t bytes[6 * 4096];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256 + 1);
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(pwrite(fileno(file), bytes, sizeof bytes, 0), sizeof bytes);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct image image = {
            .entry = ROM_BASE,
            .segments_count = 1,
            .file = span_of(bytes, sizeof bytes),
            .segments = {{ROM_BASE + rows[i].address,
                          span_of(bytes + rows[i].offset, rows[i].len)}},
        };
        static uint8_t expected[ROM_SIZE];
        memset(expected, 0, sizeof expected);
        memcpy(expected + rows[i].address, bytes + rows[i].offset, rows[i].len);
        for (int fd = -1; fd <= fileno(file); fd += fileno(file) + 1) {
            struct board b;
            struct msg msg = {""};
            board_init(&b, (struct machine_config){.cycles_max = 1});
            assert_int_equal(machine_load(b.machine, &image, fd, &msg), 0);
            assert_memory_equal(machine_window(b.machine, WINDOW_ROM), expected, ROM_SIZE);
            board_deinit(&b);
        }
    }
    fclose(file);
}
