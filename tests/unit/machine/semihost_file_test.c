/* semihost_file_test.c - semihosting's calls on files, arguments and time, as a user gave them */
/* SPDX-License-Identifier: MIT */
#include "call.h"
#include "folder.h"

#include "os/folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

enum { R = 0, R_PLUS = 2, W = 4, W_PLUS = 6, A = 8, A_PLUS = 10, FIRST = 4 };

/* newlib's numbers, where they are not the host's. */
enum { GUEST_ENAMETOOLONG = 91, GUEST_ELOOP = 92 };

/* A board with a folder, read-only or not. */
struct desk {
    struct scene scene;
    struct os_folder folder;
    struct board board;
};

static struct board *desk_init(struct desk *d, bool is_writable)
{
    scene_init(&d->scene);
    assert_int_equal(os_folder_open(d->scene.inside, is_writable, &d->folder, NULL), 0);
    board_init(&d->board, (struct machine_config){.folder = &d->folder});
    return &d->board;
}

static void desk_deinit(struct desk *d)
{
    board_deinit(&d->board);
    os_folder_close(&d->folder);
    scene_deinit(&d->scene);
}

#define DESK_TEST(subject, behaviour)                                          \
    static void desk_##subject##_##behaviour(struct desk *d, struct board *b); \
    TEST(subject, behaviour)                                                   \
    {                                                                          \
        struct desk d;                                                         \
        desk_##subject##_##behaviour(&d, desk_init(&d, true));                 \
        desk_deinit(&d);                                                       \
    }                                                                          \
    static void desk_##subject##_##behaviour(struct desk *d, struct board *b)

static void assert_refused(struct board *b, uint32_t answer, uint32_t number)
{
    assert_int_equal(answer, bad);
    assert_int_equal(extra, 0);
    assert_int_equal(call(b, SYS_ERRNO, 0), number);
}

static uint32_t write_text(struct board *b, uint32_t handle, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    poke(b, buffer, text, len + 1);
    return call3(b, SYS_WRITE, handle, buffer, len);
}

DESK_TEST(file, is_written_and_read_back)
{
    uint32_t handle = open_name(b, "new", W_PLUS);
    assert_int_equal(handle, FIRST);
    assert_int_equal(extra, 0); /* a name is no payload */
    assert_int_equal(write_text(b, handle, "0123456789abcdefg"), 0);
    assert_int_equal(extra, 2);
    assert_int_equal(call3(b, SYS_FLEN, handle, 0, 0), 17);
    assert_int_equal(call3(b, SYS_ISTTY, handle, 0, 0), 0);
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 4), 4); /* at its end */
    assert_int_equal(extra, 0);
    assert_int_equal(call3(b, SYS_SEEK, handle, 10, 0), 0);
    memset(at(b, buffer), 0, 32);
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 32), 25);
    assert_int_equal(extra, 1);
    assert_memory_equal(at(b, buffer), "abcdefg\0", 8);
    assert_int_equal(call3(b, SYS_SEEK, handle, 20, 0), 0); /* a hole behind the end */
    assert_int_equal(write_text(b, handle, "!"), 0);
    assert_int_equal(call3(b, SYS_FLEN, handle, 0, 0), 21);
    assert_int_equal(call3(b, SYS_CLOSE, handle, 0, 0), 0);
    assert_refused(b, call3(b, SYS_CLOSE, handle, 0, 0), EBADF);
    assert_refused(b, call3(b, SYS_FLEN, handle, 0, 0), EBADF);
    scene_assert_file(d->scene.inside, "new", "0123456789abcdefg"); /* up to the hole's zeros */
}

DESK_TEST(file, obeys_its_mode)
{
    uint32_t handle = open_name(b, "a", R);
    assert_refused(b, write_text(b, handle, "x"), EBADF);
    assert_int_equal(call3(b, SYS_CLOSE, handle, 0, 0), 0);
    handle = open_name(b, "a", R_PLUS);
    assert_int_equal(write_text(b, handle, "X"), 0);
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 2), 0);
    assert_memory_equal(at(b, buffer), "bc", 2);
    assert_int_equal(call3(b, SYS_CLOSE, handle, 0, 0), 0);
    scene_assert_file(d->scene.inside, "a", "Xbc");
    handle = open_name(b, "a", A + 1);
    assert_refused(b, call3(b, SYS_READ, handle, buffer, 1), EBADF);
    assert_int_equal(call3(b, SYS_SEEK, handle, 1, 0), 0);
    assert_int_equal(write_text(b, handle, "d"), 0);
    assert_int_equal(write_text(b, handle, "e"), 0);
    assert_int_equal(call3(b, SYS_CLOSE, handle, 0, 0), 0);
    scene_assert_file(d->scene.inside, "a", "Xbcde");
    handle = open_name(b, "a", A_PLUS + 1); /* as picolibc has "r+" */
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 1), 0);
    assert_memory_equal(at(b, buffer), "X", 1);
    assert_int_equal(write_text(b, handle, "B"), 0);
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 9), 6);
    assert_memory_equal(at(b, buffer), "cde", 3);
    scene_assert_file(d->scene.inside, "a", "XBcde");
    uint32_t writer = open_name(b, "a", W);
    assert_int_equal(writer, handle + 1);
    scene_assert_file(d->scene.inside, "a", "");
    assert_refused(b, call3(b, SYS_READ, writer, buffer, 1), EBADF);
    assert_refused(b, open_name(b, "nothing", R), ENOENT);
    assert_refused(b, open_name(b, "nothing", R_PLUS), ENOENT);
    assert_true(open_name(b, "made", A) != bad);
    scene_assert_file(d->scene.inside, "made", "");
}

DESK_TEST(file, that_was_read_is_seen_by_fetch)
{
    const uint32_t li[] = {encode(OP_addi, A2, ZERO, 0, 1), encode(OP_addi, A2, ZERO, 0, 2)};
    (void)d;
    uint32_t handle = open_name(b, "code", W_PLUS);
    poke(b, buffer, &li[1], 4);
    assert_int_equal(call3(b, SYS_WRITE, handle, buffer, 4), 0);
    poke(b, buffer, &li[0], 4);
    b->machine->hart->pc = buffer;
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.x[A2], 1);
    memset(b->machine->hart->dirty, 0, GiB(4) / PAGE_SIZE);
    assert_int_equal(call3(b, SYS_SEEK, handle, 0, 0), 0);
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 4), 0);
    assert_int_equal(machine_ram_dirty(b->machine)[1], 1);
    b->machine->hart->pc = buffer;
    assert_true(machine_step(b->machine, &b->stop));
    assert_int_equal(b->stop.x[A2], 2);
}

DESK_TEST(file, numbers_are_newlibs)
{
    static const struct {
        const char *name;
        uint32_t mode;
        uint32_t number;
    } rows[] = {
        {"", R, ENOENT},           {"nothing", R, ENOENT},
        {"../outside", R, EACCES}, {"/etc/passwd", R, EACCES},
        {"../new", W, EACCES},     {"out", R, GUEST_ELOOP},
        {"out", W, GUEST_ELOOP},   {"up/outside", R, ENOTDIR},
        {"d", R, EISDIR},          {"pipe", R, EACCES},
        {"pipe", W, EACCES},       {"a", 12, EINVAL},
        {":ttx", R, ENOENT},
    };
    (void)d;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_refused(b, open_name(b, rows[i].name, rows[i].mode), rows[i].number);
    }
    char name[OS_FOLDER_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    assert_refused(b, open_name(b, name, R), GUEST_ENAMETOOLONG);
}

DESK_TEST(files, are_bounded_and_closed_at_reset)
{
    (void)d;
    for (int is_again = 0; is_again < 2; is_again++) {
        for (uint32_t i = 0; i < GUEST_FILES_MAX; i++) {
            assert_int_equal(open_name(b, "a", R), FIRST + i);
        }
        assert_refused(b, open_name(b, "a", R), EMFILE);
        assert_int_equal(call3(b, SYS_CLOSE, FIRST + 3, 0, 0), 0);
        assert_int_equal(open_name(b, "a", R), FIRST + 3);
        assert_refused(b, call3(b, SYS_CLOSE, FIRST + GUEST_FILES_MAX, 0, 0), EBADF);
        machine_reset(b->machine);
        assert_refused(b, call3(b, SYS_CLOSE, FIRST, 0, 0), EBADF);
    }
    int next = dup(0); /* no descriptor is left open */
    for (int i = 0; i < 3; i++) {
        assert_true(open_name(b, "a", R) != bad);
        machine_reset(b->machine);
    }
    int after = dup(0);
    assert_int_equal(after, next + 1);
    close(next);
    close(after);
}

DESK_TEST(name, is_removed_and_renamed)
{
    (void)d;
    poke(b, buffer, "a\0new", 6);
    const uint32_t words[] = {buffer, 1, buffer + 2, 3};
    poke(b, block, words, sizeof words);
    assert_int_equal(call(b, SYS_RENAME, block), 0);
    assert_int_equal(extra, 0);
    scene_assert_file(d->scene.inside, "new", "abc");
    assert_refused(b, call(b, SYS_RENAME, block), ENOENT);
    assert_int_equal(call3(b, SYS_REMOVE, buffer + 2, 3, 0), 0);
    assert_refused(b, call3(b, SYS_REMOVE, buffer + 2, 3, 0), ENOENT);
    poke(b, buffer, "../outside", 10);
    assert_refused(b, call3(b, SYS_REMOVE, buffer, 10, 0), EACCES);
    assert_refused(b, call3(b, SYS_SYSTEM, buffer, 10, 0), EACCES);
}

DESK_TEST(name, of_a_temporary_file_goes_by_its_number)
{
    (void)d;
    memset(at(b, buffer), 'x', 32);
    assert_int_equal(call3(b, SYS_TMPNAM, buffer, 7, 32), 0);
    assert_memory_equal(at(b, buffer), "temporary-007\0xx", 16);
    assert_int_equal(extra, 0);
    assert_int_equal(call3(b, SYS_TMPNAM, buffer, 255, 14), 0);
    assert_refused(b, call3(b, SYS_TMPNAM, buffer, 256, 14), EINVAL);
    assert_refused(b, call3(b, SYS_TMPNAM, buffer, 7, 13), GUEST_ENAMETOOLONG);
    assert_refused(b, call3(b, SYS_TMPNAM, ROM_BASE, 7, 32), EFAULT);
    assert_memory_equal(at(b, buffer), "temporary-255\0xx", 16);
}

DESK_TEST(pointer, that_is_bad_changes_no_file)
{
    static const uint32_t bads[] = {0, 0x10010000, 0x81ffffff, 0x82000000, 0xfffffffe};
    uint32_t handle = open_name(b, "a", R_PLUS);
    for (size_t i = 0; i < ARRAY_COUNT(bads); i++) {
        const uint32_t rows[][4] = {{bads[i], 2, buffer, 1}, {buffer, 1, bads[i], 2}};
        poke(b, buffer, "a", 2);
        assert_refused(b, call3(b, SYS_OPEN, bads[i], W, 2), EFAULT);
        assert_refused(b, call3(b, SYS_WRITE, handle, bads[i], 2), EFAULT);
        assert_refused(b, call3(b, SYS_READ, handle, bads[i], 2), EFAULT);
        assert_refused(b, call3(b, SYS_REMOVE, bads[i], 2, 0), EFAULT);
        assert_refused(b, call3(b, SYS_TMPNAM, bads[i], 1, 20), EFAULT);
        for (size_t row = 0; row < ARRAY_COUNT(rows); row++) {
            poke(b, block, rows[row], sizeof rows[row]);
            assert_refused(b, call(b, SYS_RENAME, block), EFAULT);
        }
        assert_refused(b, call(b, SYS_RENAME, bads[i]), EFAULT);
        assert_refused(b, call(b, SYS_REMOVE, bads[i]), EFAULT);
        assert_refused(b, call(b, SYS_TMPNAM, bads[i]), EFAULT);
    }
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 3), 0); /* from its beginning still */
    assert_memory_equal(at(b, buffer), "abc", 3);
    scene_assert_file(d->scene.inside, "a", "abc");
}

/* The system's limit stands for a full disk: a part is written, then nothing. */
DESK_TEST(file, that_cannot_grow_says_how_much_is_left)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {10, before.rlim_max};
    uint32_t handle = open_name(b, "new", W);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    uint32_t first = write_text(b, handle, "0123456789abcdef");
    uint32_t cost = extra;
    uint32_t second = write_text(b, handle, "more");
    uint32_t number = call(b, SYS_ERRNO, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(first, 6);
    assert_int_equal(cost, 1);
    assert_int_equal(second, bad);
    assert_int_equal(number, EFBIG);
    scene_assert_file(d->scene.inside, "new", "0123456789");
}

TEST(folder, that_is_read_only_takes_no_change)
{
    struct desk d;
    struct board *b = desk_init(&d, false);
    uint32_t handle = open_name(b, "a", R + 1);
    assert_int_equal(call3(b, SYS_READ, handle, buffer, 3), 0);
    assert_memory_equal(at(b, buffer), "abc", 3);
    for (uint32_t mode = R_PLUS; mode < 12; mode++) {
        assert_refused(b, open_name(b, "a", mode), EROFS);
    }
    poke(b, buffer, "a", 2);
    assert_refused(b, call3(b, SYS_REMOVE, buffer, 1, 0), EROFS);
    const uint32_t words[] = {buffer, 1, buffer, 1};
    poke(b, block, words, sizeof words);
    assert_refused(b, call(b, SYS_RENAME, block), EROFS);
    assert_refused(b, call3(b, SYS_TMPNAM, buffer, 1, 20), EROFS);
    scene_assert_file(d.scene.inside, "a", "abc");
    desk_deinit(&d);
}

TEST(arguments, come_as_one_line)
{
    struct board b;
    board_init(&b, (struct machine_config){.command_line = span_of_string("one two 34567")});
    memset(at(&b, buffer), 'x', 32);
    assert_refused(&b, call3(&b, SYS_GET_CMDLINE, buffer, 13, 0), E2BIG);
    assert_refused(&b, call3(&b, SYS_GET_CMDLINE, 0x81fffff8, 14, 0), EFAULT);
    assert_int_equal(*at(&b, buffer), 'x');
    assert_int_equal(call3(&b, SYS_GET_CMDLINE, buffer, 14, 0), 0);
    assert_int_equal(extra, 1);
    assert_memory_equal(at(&b, buffer), "one two 34567\0xx", 16);
    assert_int_equal(word_at(&b, block), buffer);
    assert_int_equal(word_at(&b, block + 4), 13);
    board_deinit(&b);
}

TEST(clock, starts_from_the_epoch_given)
{
    struct board b;
    board_init(&b, (struct machine_config){.cycles_max = 1ull << 50, .epoch = 4294967290});
    assert_int_equal(call(&b, SYS_TIME, 0), 4294967290);
    b.machine->hart->cycles = 500000000;
    assert_int_equal(call(&b, SYS_TIME, 0), 4294967295);
    assert_int_equal(call(&b, SYS_CLOCK, 0), 500);
    board_deinit(&b);
}
