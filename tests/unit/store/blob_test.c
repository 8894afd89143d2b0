/* blob_test.c - ROMs: shared bytes, leases, removal */
/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <dirent.h>

static int blobs_count(const struct fixture *f)
{
    char path[128];
    snprintf(path, sizeof path, "%s/blob", f->path);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    int count = -2; /* . and .. */
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static void assert_rom(struct fixture *f, const struct id *id, const char *text)
{
    struct blob_lease lease;
    char bytes[64] = {0};
    assert_int_equal(blob_get(f->store, id, &lease, &f->msg), 0);
    assert_int_equal(lease.rom.size, strlen(text));
    assert_int_equal(pread(lease.fd, bytes, sizeof bytes - 1, 0), (ssize_t)strlen(text));
    assert_string_equal(bytes, text);
    assert_string_equal(lease.rom.format, "raw");
    blob_release(f->store, &lease);
}

TEST(blob, keeps_the_same_bytes_once)
{
    struct fixture f;
    fixture_init(&f);
    struct id a = fresh_id(), b = fresh_id();
    struct rom_info rom_a, rom_b;
    static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf}; /* FIPS 180-2, B.1 */
    assert_int_equal(put_rom(&f, &a, "abc", &rom_a), 1);
    assert_int_equal(put_rom(&f, &b, "abc", &rom_b), 1);
    assert_memory_equal(rom_a.sha256, abc, sizeof abc);
    assert_int_equal(blobs_count(&f), 1);
    fixture_reopen(&f);
    assert_int_equal(f.report.roms_count, 2);
    assert_int_equal(blob_remove(f.store, &a, NULL, &f.msg), 0);
    assert_int_equal(blob_remove(f.store, &a, NULL, &f.msg), ERR_NOT_FOUND);
    assert_rom(&f, &b, "abc");
    assert_int_equal(blob_remove(f.store, &b, rom_b.sha256, &f.msg), 0);
    assert_int_equal(blobs_count(&f), 0);
    fixture_deinit(&f);
}

/* Opens the one blob there is. */
static int blob_file(const struct fixture *f, const struct rom_info *rom, int flags)
{
    char path[192];
    int at = snprintf(path, sizeof path, "%s/blob/", f->path);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        at += snprintf(path + at, sizeof path - (size_t)at, "%02x", rom->sha256[i]);
    }
    return open(path, flags | O_CLOEXEC);
}

TEST(blob, that_was_damaged_is_healed_by_a_put)
{
    struct fixture f;
    fixture_init(&f);
    struct id a = fresh_id(), b = fresh_id();
    struct rom_info rom;
    struct blob_lease lease;
    assert_int_equal(put_rom(&f, &a, "whole", &rom), 1);
    int fd = blob_file(&f, &rom, O_RDWR);
    assert_int_equal(ftruncate(fd, 2), 0);
    assert_int_equal(blob_get(f.store, &a, &lease, &f.msg), ERR_CORRUPT);
    assert_non_null(strstr(f.msg.text, "2 bytes instead of 5: put it again"));
    assert_int_equal(put_rom(&f, &b, "whole", &rom), 1);
    assert_rom(&f, &a, "whole");
    close(fd);
    fd = blob_file(&f, &rom, O_RDWR);
    assert_int_equal(pwrite(fd, "h", 1, 0), 1); /* another byte, the same size */
    close(fd);
    assert_int_equal(put_rom(&f, &a, "whole", &rom), 0);
    assert_rom(&f, &b, "whole");
    fixture_deinit(&f);
}

TEST(blob, replaces_and_holds_what_is_leased)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct rom_info rom, old;
    struct blob_lease lease;
    char byte = 0;
    assert_int_equal(put_rom(&f, &id, "one", &old), 1);
    assert_int_equal(blob_get(f.store, &id, &lease, &f.msg), 0);
    assert_int_equal(put_rom(&f, &id, "two", &rom), 0);
    assert_int_equal(put_rom(&f, &id, "two", &rom), 0);
    assert_int_equal(blobs_count(&f), 2);
    assert_int_equal(pread(lease.fd, &byte, 1, 0), 1);
    assert_int_equal(byte, 'o');
    assert_int_equal(blob_remove(f.store, &id, old.sha256, &f.msg), ERR_CONFLICT);
    blob_release(f.store, &lease);
    assert_int_equal(blobs_count(&f), 1);
    fixture_reopen(&f);
    assert_rom(&f, &id, "two");
    fixture_deinit(&f);
}

TEST(blob, stores_nothing_of_bytes_that_end_too_early)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    int fd = memfd_of("abc", 3);
    struct blob_put put = {.id = id, .fd = fd, .size = 4, .format = "raw"};
    struct rom_info rom;
    struct blob_lease lease;
    assert_int_equal(blob_put(f.store, &put, &rom, &f.msg), ERR_ARGUMENT);
    close(fd);
    assert_int_equal(blob_get(f.store, &id, &lease, &f.msg), ERR_NOT_FOUND);
    assert_int_equal(blobs_count(&f), 0);
    fixture_deinit(&f);
}

TEST(blob, with_a_damaged_record_answers_so_and_is_healed_by_a_put)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id(), other = fresh_id();
    struct rom_info rom;
    struct blob_lease lease;
    assert_int_equal(put_rom(&f, &id, "hurt", &rom), 1);
    assert_int_equal(put_rom(&f, &other, "well", &rom), 1);
    store_close(f.store);
    int fd = fixture_file(&f, "rom", &id, "", O_RDWR);
    assert_int_equal(ftruncate(fd, 30), 0);
    close(fd);
    fixture_open(&f);
    assert_int_equal(f.report.corrupt_count, 1);
    assert_int_equal(blob_get(f.store, &id, &lease, &f.msg), ERR_CORRUPT);
    assert_int_equal(blobs_count(&f), 2); /* the unreadable record may name either */
    assert_rom(&f, &other, "well");
    assert_int_equal(put_rom(&f, &id, "hurt", &rom), 0);
    fixture_reopen(&f);
    assert_rom(&f, &id, "hurt");
    fixture_deinit(&f);
}
