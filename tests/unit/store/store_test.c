/* store_test.c - opening: format, lock, leftovers */
/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static int open_again(struct fixture *f)
{
    struct store *second = NULL;
    const struct store_options options = {.path = f->path};
    int err = store_open(&options, &second, NULL, &f->msg);
    store_close(second);
    return err;
}

static void write_format(struct fixture *f, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/format", f->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

TEST(store, belongs_to_one_server_at_a_time)
{
    struct fixture f;
    fixture_init(&f);
    assert_int_equal(open_again(&f), ERR_BUSY);
    assert_non_null(strstr(f.msg.text, f.path));
    store_close(f.store);
    f.store = NULL;
    assert_int_equal(open_again(&f), 0);
    fixture_deinit(&f);
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)ftw;
    return type == FTW_F ? remove(path) : 0;
}

/* The lock is no file that somebody may clean up. */
TEST(store, belongs_to_its_server_whatever_files_go)
{
    struct fixture f;
    fixture_init(&f);
    assert_int_equal(nftw(f.path, remove_file, 16, FTW_PHYS | FTW_MOUNT), 0);
    assert_int_equal(open_again(&f), ERR_BUSY);
    fixture_deinit(&f);
}

TEST(store, that_may_not_be_written_says_so)
{
    struct fixture f;
    fixture_init(&f);
    struct ram_info info;
    struct id id = fresh_id();
    char path[128];
    snprintf(path, sizeof path, "%s/ram", f.path);
    assert_int_equal(chmod(path, 0500), 0);
    uid_t before = geteuid();
    assert_int_equal(before ? 0 : seteuid(65534), 0); /* root may write anywhere */
    assert_int_equal(put_ram(&f, &id, "x", &info), ERR_DENIED);
    assert_int_equal(seteuid(before), 0);
    assert_non_null(strstr(f.msg.text, "Permission denied"));
    assert_int_equal(err_http_status(ERR_DENIED), 503);
    fixture_deinit(&f);
}

TEST(store, refuses_a_newer_format_and_says_so)
{
    struct fixture f;
    fixture_init(&f);
    store_close(f.store);
    f.store = NULL;
    write_format(&f, "mote-store 2\n");
    assert_int_equal(open_again(&f), ERR_BAD_FILE);
    assert_non_null(strstr(f.msg.text, "version 2"));
    write_format(&f, "mote-stor");
    assert_int_equal(open_again(&f), ERR_CORRUPT);
    fixture_deinit(&f);
}

TEST(store, refuses_a_directory_of_other_things)
{
    struct fixture f = {.path = "/tmp/mote-store-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    char path[128];
    snprintf(path, sizeof path, "%s/letters", f.path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(open_again(&f), ERR_BAD_FILE);
    snprintf(path, sizeof path, "%s/rom", f.path);
    assert_int_equal(access(path, F_OK), -1);
    fixture_deinit(&f);
}

TEST(store, finishes_a_directory_that_was_only_half_made)
{
    struct fixture f;
    fixture_init(&f);
    store_close(f.store);
    f.store = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/format", f.path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_again(&f), 0);
    fixture_deinit(&f);
}

TEST(store, deletes_the_leftovers_of_a_crash_and_nothing_else)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id(), gone = fresh_id(), rom_id = fresh_id();
    struct ram_info info;
    struct rom_info rom;
    assert_int_equal(put_ram(&f, &id, "kept", &info), 1);
    assert_int_equal(put_rom(&f, &rom_id, "code", &rom), 1);
    store_close(f.store);
    static const char *const rest[][2] = {{"ram", ".2"}, {"ram", ".tmp"}, {"rom", ".tmp"}};
    for (size_t i = 0; i < ARRAY_COUNT(rest); i++) {
        close(fixture_file(&f, rest[i][0], &id, rest[i][1], O_WRONLY | O_CREAT));
    }
    close(fixture_file(&f, "ram", &gone, ".7", O_WRONLY | O_CREAT));
    close(fixture_file(&f, "ram", &gone, ".note", O_WRONLY | O_CREAT));
    fixture_open(&f);
    assert_int_equal(f.report.dropped_count, 4);
    for (size_t i = 0; i < ARRAY_COUNT(rest); i++) {
        assert_false(fixture_has(&f, rest[i][0], &id, rest[i][1]));
    }
    assert_false(fixture_has(&f, "ram", &gone, ".7"));
    assert_true(fixture_has(&f, "ram", &gone, ".note")); /* not a name of ours */
    assert_ram(&f, &id, "kept");
    struct blob_lease lease;
    assert_int_equal(blob_get(f.store, &rom_id, &lease, &f.msg), 0);
    blob_release(f.store, &lease);
    fixture_deinit(&f);
}
