/* ram_test.c - sessions: versions, deltas, leases, damage */
/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "store/record.h"

/* One run's result: pages written at their offsets, and which. */
struct run {
    int fd;
    uint8_t dirty[8192];
};

static void run_init(struct run *run)
{
    *run = (struct run){.fd = memfd_create("pages", MFD_CLOEXEC)};
    assert_true(run->fd >= 0);
    assert_int_equal(ftruncate(run->fd, (off_t)MiB(32)), 0);
}

static void run_write(struct run *run, uint32_t page, uint8_t value)
{
    uint8_t bytes[PAGE_SIZE];
    memset(bytes, value, sizeof bytes);
    assert_int_equal(pwrite(run->fd, bytes, sizeof bytes, (off_t)page * PAGE_SIZE), PAGE_SIZE);
    run->dirty[page] = 1;
}

static int run_commit(struct fixture *f, struct run *run, const struct id *id,
                      const struct ram_lease *base, struct ram_info *ret_info)
{
    const struct ram_commit commit = {
        .id = *id,
        .base = base,
        .rom = *id,
        .now_ms = 2000,
        .pages_fd = run->fd,
        .dirty = run->dirty,
        .pages_count = ARRAY_COUNT(run->dirty),
    };
    return ram_commit(f->store, &commit, ret_info, &f->msg);
}

static uint8_t byte_at(int fd, uint64_t at)
{
    uint8_t byte = 0;
    assert_true(pread(fd, &byte, 1, (off_t)at) >= 0);
    return byte;
}

TEST(ram, keeps_an_image_across_a_reopen_with_trailing_zeros_cut)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct ram_info info, again;
    int fd = memfd_of("state\0\0\0\0", 9);
    struct ram_put put = {.id = id, .fd = fd, .size = 9, .now_ms = 1000};
    assert_int_equal(ram_put(f.store, &put, &info, &f.msg), 1);
    close(fd);
    assert_int_equal(info.size, 5);
    assert_int_equal(info.version.count, 1);
    assert_false(info.has_rom);
    fixture_reopen(&f);
    assert_int_equal(f.report.sessions_count, 1);
    assert_ram(&f, &id, "state");
    assert_int_equal(put_ram(&f, &id, "other", &again), 0);
    assert_int_equal(again.version.stamp, info.version.stamp);
    assert_int_equal(again.version.count, 2);
    assert_false(fixture_has(&f, "ram", &id, ".1"));
    fixture_deinit(&f);
}

TEST(ram, commits_dirty_pages_over_a_sparse_base)
{
    struct fixture f;
    fixture_init(&f);
    struct run run;
    run_init(&run);
    struct id id = fresh_id();
    struct ram_info info;
    struct ram_lease base;
    run_write(&run, 0, 1);
    run_write(&run, 4000, 2);
    run_write(&run, 8191, 3);
    assert_int_equal(run_commit(&f, &run, &id, NULL, &info), 0);
    close(run.fd);
    assert_int_equal(info.size, MiB(32));
    assert_true(info.has_rom);
    assert_int_equal(ram_load(f.store, &id, &base, &f.msg), 0);
    struct stat st;
    assert_int_equal(fstat(base.fd, &st), 0);
    assert_int_equal(st.st_size, MiB(32));
    assert_true(st.st_blocks * 512 <= 16 * PAGE_SIZE);

    /* The last page becomes zeros and one changes: the image shrinks, the rest stays. */
    run_init(&run);
    run_write(&run, 8191, 0);
    run_write(&run, 1, 9);
    assert_int_equal(run_commit(&f, &run, &id, &base, &info), 0);
    close(run.fd);
    assert_int_equal(info.size, 4001 * PAGE_SIZE);
    assert_int_equal(byte_at(base.fd, MiB(32) - 1), 3); /* the lease is of the old version */
    assert_int_equal(byte_at(base.fd, PAGE_SIZE), 0);
    ram_release(f.store, &base);
    assert_int_equal(ram_load(f.store, &id, &base, &f.msg), 0);
    assert_int_equal(fstat(base.fd, &st), 0);
    assert_true(st.st_blocks * 512 <= 16 * PAGE_SIZE);
    assert_int_equal(byte_at(base.fd, 0), 1);
    assert_int_equal(byte_at(base.fd, PAGE_SIZE), 9);
    assert_int_equal(byte_at(base.fd, 2 * PAGE_SIZE), 0);
    assert_int_equal(byte_at(base.fd, 4001 * PAGE_SIZE - 1), 2);

    /* A page that becomes zeros between others leaves nothing of the base's behind. */
    run_init(&run);
    run_write(&run, 0, 0);
    assert_int_equal(run_commit(&f, &run, &id, &base, &info), 0);
    close(run.fd);
    ram_release(f.store, &base);
    assert_int_equal(ram_load(f.store, &id, &base, &f.msg), 0);
    assert_int_equal(byte_at(base.fd, 0), 0);
    assert_int_equal(byte_at(base.fd, PAGE_SIZE), 9);
    ram_release(f.store, &base);
    fixture_deinit(&f);
}

TEST(ram, commits_a_run_that_wrote_nothing_but_zeros)
{
    struct fixture f;
    fixture_init(&f);
    struct run run;
    run_init(&run);
    struct id id = fresh_id();
    struct ram_info info;
    run_write(&run, 3, 0);
    assert_int_equal(run_commit(&f, &run, &id, NULL, &info), 0);
    close(run.fd);
    assert_int_equal(info.size, 0);
    fixture_reopen(&f);
    assert_ram(&f, &id, "");
    fixture_deinit(&f);
}

TEST(ram, refuses_a_stale_base_and_keeps_the_newer_version)
{
    struct fixture f;
    fixture_init(&f);
    struct run run;
    run_init(&run);
    struct id id = fresh_id();
    struct ram_info info;
    struct ram_lease stale;
    run_write(&run, 0, 1);
    assert_int_equal(put_ram(&f, &id, "first", &info), 1);
    assert_int_equal(run_commit(&f, &run, &id, NULL, &info), ERR_CONFLICT);
    assert_int_equal(ram_load(f.store, &id, &stale, &f.msg), 0);
    assert_int_equal(put_ram(&f, &id, "second", &info), 0);
    assert_int_equal(run_commit(&f, &run, &id, &stale, &info), ERR_CONFLICT);
    assert_ram(&f, &id, "second");
    close(run.fd);
    ram_release(f.store, &stale);
    fixture_deinit(&f);
}

TEST(ram, never_takes_an_id_made_anew_for_the_old_one)
{
    struct fixture f;
    fixture_init(&f);
    struct run run;
    run_init(&run);
    struct id id = fresh_id();
    struct ram_info old, info;
    struct ram_lease base;
    assert_int_equal(put_ram(&f, &id, "old", &old), 1);
    assert_int_equal(ram_load(f.store, &id, &base, &f.msg), 0);
    assert_int_equal(ram_remove(f.store, &id, &old.version, &f.msg), 0);
    assert_int_equal(run_commit(&f, &run, &id, &base, &info), ERR_CONFLICT);
    assert_int_equal(put_ram(&f, &id, "new", &info), 1);
    assert_int_equal(info.version.count, old.version.count);
    assert_int_equal(run_commit(&f, &run, &id, &base, &info), ERR_CONFLICT);
    assert_int_equal(ram_remove(f.store, &id, &old.version, &f.msg), ERR_CONFLICT);
    char was[VERSION_TEXT_SIZE], is[VERSION_TEXT_SIZE];
    version_format(&old.version, was);
    version_format(&info.version, is);
    assert_string_not_equal(was, is);
    assert_ram(&f, &id, "new");
    close(run.fd);
    ram_release(f.store, &base);
    fixture_deinit(&f);
}

TEST(ram, leaves_a_lease_whole_when_the_session_goes)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct ram_info info;
    struct ram_lease lease;
    assert_int_equal(put_ram(&f, &id, "here", &info), 1);
    assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), 0);
    assert_int_equal(ram_remove(f.store, &id, NULL, &f.msg), 0);
    assert_int_equal(ram_remove(f.store, &id, NULL, &f.msg), ERR_NOT_FOUND);
    assert_int_equal(byte_at(lease.fd, 3), 'e');
    ram_release(f.store, &lease);
    assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), ERR_NOT_FOUND);
    assert_false(fixture_has(&f, "ram", &id, ".1"));
    assert_false(fixture_has(&f, "ram", &id, ".meta"));
    fixture_deinit(&f);
}

static void open_to_hold(struct fixture *f, uint64_t held_bytes_max)
{
    fixture_init(f);
    const struct store_options options = {.path = f->path, .held_bytes_max = held_bytes_max};
    store_close(f->store);
    assert_int_equal(store_open(&options, &f->store, NULL, &f->msg), 0);
}

/* What slow readers keep of versions that are gone is bounded, and given back with them. */
TEST(ram, bounds_what_leases_keep_of_replaced_versions)
{
    struct fixture f;
    open_to_hold(&f, 8);
    struct id id = fresh_id();
    struct ram_info info;
    struct rom_info rom;
    struct ram_lease first, again, second;
    assert_int_equal(put_ram(&f, &id, "eight by", &info), 1);
    assert_int_equal(ram_load(f.store, &id, &first, &f.msg), 0);
    assert_int_equal(ram_load(f.store, &id, &again, &f.msg), 0);
    assert_int_equal(put_ram(&f, &id, "1", &info), 0); /* holds 8 */
    assert_int_equal(ram_load(f.store, &id, &second, &f.msg), 0);
    assert_int_equal(put_ram(&f, &id, "2", &info), 0); /* holds 9 */
    assert_int_equal(put_ram(&f, &id, "3", &info), ERR_FULL);
    assert_non_null(strstr(f.msg.text, "keep 9 bytes"));
    assert_non_null(strstr(f.msg.text, "limit of 8"));
    assert_int_equal(put_rom(&f, &id, "rom", &rom), ERR_FULL);
    ram_release(f.store, &first); /* the other lease keeps the bytes still */
    assert_int_equal(put_ram(&f, &id, "3", &info), ERR_FULL);
    ram_release(f.store, &again);
    assert_int_equal(put_ram(&f, &id, "3", &info), 0);
    ram_release(f.store, &second);
    fixture_deinit(&f);
}

TEST(ram, counts_removed_versions_and_roms_but_no_lease_that_ends_before)
{
    struct fixture f;
    open_to_hold(&f, 8);
    struct id id = fresh_id();
    struct ram_info info;
    struct rom_info rom;
    struct ram_lease lease;
    struct blob_lease blob;
    assert_int_equal(put_ram(&f, &id, "twelve bytes", &info), 1);
    assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), 0);
    ram_release(f.store, &lease);
    assert_int_equal(put_ram(&f, &id, "eight by", &info), 0);
    assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), 0);
    assert_int_equal(ram_remove(f.store, &id, NULL, &f.msg), 0); /* holds 8 */
    assert_int_equal(put_rom(&f, &id, "romrom", &rom), 1);
    assert_int_equal(blob_get(f.store, &id, &blob, &f.msg), 0);
    assert_int_equal(blob_remove(f.store, &id, NULL, &f.msg), 0); /* holds 14 */
    assert_int_equal(put_rom(&f, &id, "romrom", &rom), ERR_FULL);
    ram_release(f.store, &lease);                          /* holds 6 */
    assert_int_equal(put_rom(&f, &id, "romrom", &rom), 1); /* named again: holds nothing */
    assert_int_equal(put_ram(&f, &id, "nine byte", &info), 1);
    assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), 0);
    assert_int_equal(put_rom(&f, &id, "another", &rom), 0); /* holds 6 */
    assert_int_equal(put_ram(&f, &id, "1", &info), 0);      /* holds 15 */
    assert_int_equal(put_ram(&f, &id, "2", &info), ERR_FULL);
    blob_release(f.store, &blob); /* holds 9 */
    assert_int_equal(put_ram(&f, &id, "2", &info), ERR_FULL);
    ram_release(f.store, &lease);
    assert_int_equal(put_ram(&f, &id, "2", &info), 0);
    fixture_deinit(&f);
}

TEST(ram, refuses_pages_that_are_not_there)
{
    struct fixture f;
    fixture_init(&f);
    struct run run;
    run_init(&run);
    struct id id = fresh_id();
    struct ram_info info;
    struct ram_lease lease;
    run_write(&run, 5, 1);
    assert_int_equal(ftruncate(run.fd, 5 * PAGE_SIZE + 100), 0);
    assert_int_equal(run_commit(&f, &run, &id, NULL, &info), ERR_ARGUMENT);
    assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), ERR_NOT_FOUND);
    assert_false(fixture_has(&f, "ram", &id, ".1"));
    close(run.fd);
    fixture_deinit(&f);
}

TEST(ram, writes_no_record_that_it_could_not_read)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct ram_info info;
    const struct ram_commit commit = {.id = id, .pages_fd = -1}; /* the ROM's id is no UUID */
    assert_int_equal(ram_commit(f.store, &commit, &info, &f.msg), ERR_ARGUMENT);
    assert_false(fixture_has(&f, "ram", &id, ".meta"));
    assert_false(fixture_has(&f, "ram", &id, ".1"));
    fixture_deinit(&f);
}

TEST(ram, holds_the_limit_of_sessions)
{
    struct fixture f;
    fixture_init(&f);
    store_close(f.store);
    const struct store_options options = {.path = f.path, .sessions_max = 2};
    assert_int_equal(store_open(&options, &f.store, NULL, &f.msg), 0);
    struct id ids[3] = {fresh_id(), fresh_id(), fresh_id()};
    struct ram_info info;
    assert_int_equal(put_ram(&f, &ids[0], "a", &info), 1);
    assert_int_equal(put_ram(&f, &ids[1], "b", &info), 1);
    assert_int_equal(put_ram(&f, &ids[2], "c", &info), ERR_QUOTA);
    assert_non_null(strstr(f.msg.text, "2 sessions"));
    assert_int_equal(put_ram(&f, &ids[1], "d", &info), 0);
    assert_int_equal(ram_remove(f.store, &ids[0], NULL, &f.msg), 0);
    assert_int_equal(put_ram(&f, &ids[2], "c", &info), 1);
    fixture_deinit(&f);
}

static bool count_two(void *context, const struct ram_info *info)
{
    assert_int_equal(info->size, 1);
    return ++*(int *)context < 2;
}

TEST(ram, lists_until_told_to_stop)
{
    struct fixture f;
    fixture_init(&f);
    struct ram_info info;
    for (int i = 0; i < 3; i++) {
        struct id id = fresh_id();
        assert_int_equal(put_ram(&f, &id, "x", &info), 1);
    }
    int count = 0;
    assert_int_equal(ram_list(f.store, count_two, &count), 0);
    assert_int_equal(count, 2);
    fixture_deinit(&f);
}

static void damage(struct fixture *f, const struct id *id, const char *suffix, off_t size)
{
    int fd = fixture_file(f, "ram", id, suffix, O_RDWR);
    assert_true(fd >= 0);
    if (size >= 0) {
        assert_int_equal(ftruncate(fd, size), 0);
    } else {
        assert_int_equal(pwrite(fd, "X", 1, 60), 1);
    }
    close(fd);
}

TEST(ram, refuses_a_record_over_the_limit_whatever_its_checksum_says)
{
    struct fixture f;
    fixture_init(&f);
    struct ram_record record = {
        .info = {.id = fresh_id(), .version = {1, 1}, .size = (32 << 20) + 1}, .file = 1};
    struct buf text;
    buf_init(&text, RECORD_BYTES_MAX);
    ram_record_write(&record, &text);
    int fd = fixture_file(&f, "ram", &record.info.id, ".meta", O_CREAT | O_WRONLY);
    assert_int_equal(write(fd, text.data, text.len), (ssize_t)text.len);
    close(fd);
    fd = fixture_file(&f, "ram", &record.info.id, ".1", O_CREAT | O_WRONLY);
    assert_int_equal(ftruncate(fd, (off_t)record.info.size), 0);
    close(fd);
    fixture_reopen(&f);
    assert_int_equal(f.report.corrupt_count, 1);
    assert_non_null(strstr(f.report.corrupt_why.text, "33554433 bytes, the limit is 33554432"));
    struct ram_lease lease;
    assert_int_equal(ram_load(f.store, &record.info.id, &lease, &f.msg), ERR_CORRUPT);
    buf_deinit(&text);
    fixture_deinit(&f);
}

TEST(ram, names_a_damaged_session_and_serves_the_others)
{
    static const struct {
        const char *suffix;
        off_t size;
    } damages[] = {{".meta", 0}, {".meta", 40}, {".meta", -1}, {".1", 3}, {".1", 0}};
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        struct fixture f;
        fixture_init(&f);
        struct id id = fresh_id(), other = fresh_id();
        struct ram_info info;
        struct ram_lease lease;
        struct run run;
        run_init(&run);
        assert_int_equal(put_ram(&f, &id, "hurt", &info), 1);
        assert_int_equal(put_ram(&f, &other, "well", &info), 1);
        store_close(f.store);
        damage(&f, &id, damages[i].suffix, damages[i].size);
        fixture_open(&f);
        assert_int_equal(f.report.corrupt_count, 1);
        assert_non_null(strstr(f.report.corrupt_name, ".meta"));
        assert_int_equal(ram_load(f.store, &id, &lease, &f.msg), ERR_CORRUPT);
        assert_int_equal(run_commit(&f, &run, &id, NULL, &info), ERR_CORRUPT);
        assert_true(fixture_has(&f, "ram", &id, ".1")); /* kept for a person to look at */
        assert_ram(&f, &other, "well");
        assert_int_equal(put_ram(&f, &id, "healed", &info), 0);
        assert_ram(&f, &id, "healed");
        fixture_reopen(&f);
        assert_int_equal(f.report.corrupt_count, 0);
        assert_ram(&f, &id, "healed");
        close(run.fd);
        fixture_deinit(&f);
    }
}
