/* folder_test.c - no name leads out of a folder, whatever is done with it */
/* SPDX-License-Identifier: MIT */
#include "os/folder.h"

#include "folder.h"
#include "os/file.h"

#include <errno.h>

static const unsigned read_only = OS_FOLDER_READ;
static const unsigned make = OS_FOLDER_WRITE | OS_FOLDER_CREATE | OS_FOLDER_CUT;

#define LONG_64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG_256 LONG_64 LONG_64 LONG_64 LONG_64

/* Each name, and the number of the failure to open it: 0 opens a file. */
static const struct {
    const char *name;
    size_t len; /* 0: of the string */
    int number;
} names[] = {
    {"a", 0, 0},
    {"./a", 0, 0},
    {"d/b", 0, 0},
    {"d//b", 0, 0},
    {"d/./b", 0, 0},
    {"d/../a", 0, 0},
    {"d/../d/../a", 0, 0},
    {"nothing/../a", 0, ENOENT}, /* what is left again must be a folder, and no link */
    {"d/nothing/../b", 0, ENOENT},
    {"a/../a", 0, ENOTDIR},
    {"dd/../a", 0, ENOTDIR},
    {"up/../a", 0, ENOTDIR},
    {"", 0, ENOENT},
    {"nothing", 0, ENOENT},
    {"...", 0, ENOENT},
    {"..a", 0, ENOENT},
    {"a\0b", 3, ENOENT},
    {"a\0", 2, ENOENT},
    {"nothing/a", 0, ENOENT},
    {"/", 0, EACCES},
    {"/etc/passwd", 0, EACCES},
    {"//etc/passwd", 0, EACCES},
    {"..", 0, EACCES},
    {"../", 0, EACCES},
    {"../outside", 0, EACCES},
    {"./../outside", 0, EACCES},
    {"d/../../outside", 0, EACCES},
    {"../inside/a", 0, EACCES},
    {"out", 0, ELOOP},
    {"in", 0, ELOOP},
    {"up", 0, ELOOP},
    {"up/outside", 0, ENOTDIR},
    {"up/inside/a", 0, ENOTDIR},
    {"root/etc/passwd", 0, ENOTDIR},
    {"dd/b", 0, ENOTDIR},
    {"a/b", 0, ENOTDIR},
    {"pipe", 0, EACCES},
    {"d", 0, EISDIR},
    {".", 0, EISDIR},
    {"d/", 0, EISDIR},
    {"a/", 0, EISDIR},
    {"a/.", 0, EISDIR},
    {"d/..", 0, EISDIR},
    {LONG_256, 0, ENAMETOOLONG},
    {LONG_256 LONG_256 LONG_256 LONG_256, 0, ENAMETOOLONG},
    {"1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", 0, ENAMETOOLONG},
};

static struct span name_of(size_t i)
{
    return span_of(names[i].name, names[i].len ? names[i].len : strlen(names[i].name));
}

static void assert_open(const struct os_folder *folder, size_t i, unsigned access)
{
    int fd = -1;
    errno = 0;
    int err = os_folder_file(folder, name_of(i), access, &fd);
    if ((err != 0) != (names[i].number != 0) || (err && errno != names[i].number)) {
        print_error("`%s`: %d, errno %d, wanted %d\n", names[i].name, err, errno, names[i].number);
    }
    assert_int_equal(err != 0, names[i].number != 0);
    assert_true(!err || errno == names[i].number);
    os_file_close(fd);
}

TEST(folder, opens_what_is_below_and_nothing_else)
{
    for (int is_writable = 0; is_writable < 2; is_writable++) {
        struct scene s;
        struct os_folder folder;
        scene_init(&s);
        assert_int_equal(os_folder_open(s.inside, is_writable, &folder, NULL), 0);
        for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
            assert_open(&folder, i, read_only);
        }
        os_folder_close(&folder);
        scene_deinit(&s);
    }
}

/* Is what the name leads to outside, or a link, or no name at all? */
static bool is_hostile(size_t i)
{
    int number = names[i].number;
    return number == EACCES || number == ELOOP || number == ENOTDIR || number == EISDIR ||
           number == ENAMETOOLONG;
}

TEST(folder, makes_nothing_outside)
{
    struct scene s;
    struct os_folder folder;
    scene_init(&s);
    assert_int_equal(os_folder_open(s.inside, true, &folder, NULL), 0);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (is_hostile(i)) {
            assert_open(&folder, i, make);
        }
    }
    scene_assert_file(s.inside, "a", "abc");
    os_folder_close(&folder);
    scene_deinit(&s);
}

/* Removing or renaming a link is about the link; through one, or upwards, nothing goes. */
TEST(folder, removes_and_renames_nothing_outside)
{
    struct scene s;
    struct os_folder folder;
    scene_init(&s);
    assert_int_equal(os_folder_open(s.inside, true, &folder, NULL), 0);
    struct span a = span_of_string("a");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        int number = names[i].number;
        bool is_node = number == ELOOP || span_equals_string(name_of(i), "pipe") ||
                       span_equals_string(name_of(i), "d"); /* is there, and may be renamed */
        if (!is_hostile(i) || is_node) {
            continue;
        }
        assert_int_not_equal(os_folder_remove(&folder, name_of(i)), 0);
        assert_int_equal(errno, number);
        assert_int_not_equal(os_folder_rename(&folder, a, name_of(i)), 0);
        assert_int_equal(errno, number);
        assert_int_not_equal(os_folder_rename(&folder, name_of(i), a), 0);
        assert_int_equal(errno, number);
    }
    scene_assert_file(s.inside, "a", "abc");
    assert_int_equal(os_folder_rename(&folder, a, span_of_string("out")), 0); /* in its place */
    scene_assert_file(s.inside, "out", "abc");
    assert_int_equal(os_folder_remove(&folder, span_of_string("up")), 0);
    assert_int_not_equal(os_folder_remove(&folder, span_of_string("d")), 0);
    assert_int_equal(os_folder_rename(&folder, span_of_string("d/b"), span_of_string("b")), 0);
    scene_assert_file(s.inside, "b", "b");
    os_folder_close(&folder);
    scene_deinit(&s);
}

TEST(folder, that_is_read_only_changes_nothing)
{
    static const unsigned writes[] = {
        OS_FOLDER_WRITE, OS_FOLDER_READ | OS_FOLDER_WRITE, OS_FOLDER_READ | OS_FOLDER_CREATE,
        OS_FOLDER_READ | OS_FOLDER_CUT, OS_FOLDER_WRITE | OS_FOLDER_CREATE | OS_FOLDER_APPEND};
    struct scene s;
    struct os_folder folder;
    scene_init(&s);
    assert_int_equal(os_folder_open(s.inside, false, &folder, NULL), 0);
    struct span a = span_of_string("a");
    int fd;
    for (size_t i = 0; i < ARRAY_COUNT(writes); i++) {
        assert_int_equal(os_folder_file(&folder, a, writes[i], &fd), ERR_READ_ONLY);
        assert_int_equal(errno, EROFS);
    }
    assert_int_equal(os_folder_remove(&folder, a), ERR_READ_ONLY);
    assert_int_equal(os_folder_rename(&folder, a, span_of_string("b")), ERR_READ_ONLY);
    scene_assert_file(s.inside, "a", "abc");
    os_folder_close(&folder);
    scene_deinit(&s);
}

TEST(folder, must_be_one)
{
    struct scene s;
    struct os_folder folder;
    struct msg msg;
    char path[256];
    scene_init(&s);
    snprintf(path, sizeof path, "%s/a", s.inside);
    assert_int_equal(os_folder_open(path, false, &folder, &msg), ERR_BAD_FILE);
    assert_string_equal(msg.text, "it is no folder");
    snprintf(path, sizeof path, "%s/nothing", s.inside);
    assert_int_equal(os_folder_open(path, false, &folder, &msg), ERR_NOT_FOUND);
    snprintf(path, sizeof path, "%s/dd", s.inside); /* the user may name it by a link */
    assert_int_equal(os_folder_open(path, false, &folder, &msg), 0);
    os_folder_close(&folder);
    scene_deinit(&s);
}
