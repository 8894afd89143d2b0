/* fault_test.c - a disk that fails at its n-th call, put under the store by -Wl,--wrap */
/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "os/file.h"

#include <errno.h>
#include <sys/mount.h>

/* The one thing of this program that the wrapped functions share with the tests. */
static struct {
    int countdown; /* the call that fails when this reaches 0; negative: none */
    int number;    /* errno of the failure */
    int err;
    char trace[256]; /* a letter for each call */
    size_t trace_len;
    void (*spy)(void); /* called before and after each call but its own; NULL: none */
    struct fixture *spied;
    struct id id;
} disk = {.countdown = -1};

static void disk_look(void)
{
    void (*spy)(void) = disk.spy;
    if (spy) {
        disk.spy = NULL;
        spy();
        disk.spy = spy;
    }
}

static int disk_call(char letter)
{
    disk_look();
    if (disk.trace_len < sizeof disk.trace - 1) {
        disk.trace[disk.trace_len++] = letter;
        disk.trace[disk.trace_len] = '\0';
    }
    if (disk.countdown > 0 && --disk.countdown == 0) {
        disk.countdown = -1;
        errno = disk.number;
        return disk.err;
    }
    return 0;
}

static void disk_arm(int countdown, int number, int err)
{
    disk.countdown = countdown;
    disk.number = number;
    disk.err = err;
    disk.trace_len = 0;
    disk.trace[0] = '\0';
}

/* A sync of a file is an S; one of a directory tells which, since that of another is worth nothing:
 * P the ROMs', B the blobs', M the RAMs', H the store's own, U the one above it. */
static char sync_letter(int fd)
{
    struct stat st;
    char link[32], path[256] = {0};
    assert_int_equal(fstat(fd, &st), 0);
    if (!S_ISDIR(st.st_mode)) {
        return 'S';
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    assert_true(readlink(link, path, sizeof path - 1) > 0);
    const char *name = strrchr(path, '/') + 1;
    static const struct {
        const char *name;
        char letter;
    } below[] = {{"rom", 'P'}, {"blob", 'B'}, {"ram", 'M'}};
    for (size_t i = 0; i < ARRAY_COUNT(below); i++) {
        if (strcmp(name, below[i].name) == 0) {
            return below[i].letter;
        }
    }
    return strncmp(name, "mote-store-", 11) == 0 ? 'H' : 'U';
}

#define WRAP(letter, name, declaration, arguments) \
    int __real_##name declaration;                 \
    int __wrap_##name declaration;                 \
    int __wrap_##name declaration                  \
    {                                              \
        int err = disk_call(letter);               \
        err = err ? err : __real_##name arguments; \
        disk_look();                               \
        return err;                                \
    }

WRAP('O', os_file_open, (int dir, const char *name, enum os_open how, int *ret_fd),
     (dir, name, how, ret_fd))
WRAP('W', os_file_write, (int fd, const void *bytes, size_t size, uint64_t at),
     (fd, bytes, size, at))
WRAP('T', os_file_truncate, (int fd, uint64_t size), (fd, size))
WRAP(sync_letter(fd), os_file_sync, (int fd), (fd))
WRAP('C', os_file_copy, (int from, int to, uint64_t at, uint64_t size), (from, to, at, size))
WRAP('R', os_name_rename, (int dir, const char *from, const char *to), (dir, from, to))
WRAP('D', os_name_remove, (int dir, const char *name), (dir, name))

TEST(fault, every_step_of_a_write_is_synced_in_its_order)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct ram_info info;
    struct rom_info rom;
    assert_int_equal(put_ram(&f, &id, "old", &info), 1);
    disk_arm(-1, 0, 0);
    assert_int_equal(put_ram(&f, &id, "new", &info), 0);
    /* RAM file; meta; their names; the commit and its sync; only then the old file goes. */
    assert_string_equal(disk.trace, "OWTS"
                                    "OWS"
                                    "M"
                                    "RM"
                                    "D");
    disk_arm(-1, 0, 0);
    assert_int_equal(ram_remove(f.store, &id, NULL, &f.msg), 0);
    assert_string_equal(disk.trace, "DMD");
    disk_arm(-1, 0, 0);
    assert_int_equal(put_rom(&f, &id, "code", &rom), 1);
    assert_string_equal(disk.trace, "OWSRB"
                                    "OWSRP");
    struct id other = fresh_id();
    disk_arm(-1, 0, 0);
    assert_int_equal(put_rom(&f, &other, "code", &rom), 1);
    assert_string_equal(disk.trace,
                        "OB" /* the bytes were there, and are looked at; their name is synced */
                        "OWSRP");
    assert_int_equal(blob_remove(f.store, &id, NULL, &f.msg), 0);
    disk_arm(-1, 0, 0);
    assert_int_equal(blob_remove(f.store, &other, NULL, &f.msg), 0);
    assert_string_equal(disk.trace, "DPD");
    fixture_deinit(&f);
}

TEST(fault, a_new_store_is_synced_name_by_name)
{
    struct fixture f;
    disk_arm(-1, 0, 0);
    fixture_init(&f);
    /* Its own names; the file `format`, its commit and sync; its name in the directory
     * above; then what every opening syncs. */
    assert_string_equal(disk.trace, "HOWSRHUBPM");
    fixture_deinit(&f);
}

/* A writer that was killed may have left names that are not on the disk yet: what they replaced
 * goes only once they are. */
TEST(fault, recovery_syncs_all_names_before_it_deletes)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct ram_info info;
    assert_int_equal(put_ram(&f, &id, "kept", &info), 1);
    int fd = fixture_file(&f, "ram", &id, ".9", O_CREAT | O_WRONLY);
    assert_true(fd >= 0);
    close(fd);
    disk_arm(-1, 0, 0);
    fixture_reopen(&f);
    assert_int_equal(f.report.dropped_count, 1);
    /* `format`, the session's record and file are looked at. */
    assert_string_equal(disk.trace, "OOOBPMD");
    assert_ram(&f, &id, "kept");
    fixture_deinit(&f);
}

/* A reader between two steps of a writer. */
static void read_session(void)
{
    struct ram_lease lease;
    struct store *store = disk.spied->store;
    int err = ram_load(store, &disk.id, &lease, NULL);
    assert_true(err == 0 || err == ERR_NOT_FOUND);
    if (!err) {
        ram_release(store, &lease);
    }
}

TEST(fault, a_reader_between_two_steps_finds_a_whole_session_or_none)
{
    struct fixture f;
    fixture_init(&f);
    struct ram_info info;
    disk.spied = &f;
    disk.id = fresh_id();
    disk_arm(-1, 0, 0);
    disk.spy = read_session;
    assert_int_equal(put_ram(&f, &disk.id, "old", &info), 1);
    assert_int_equal(put_ram(&f, &disk.id, "newer", &info), 0);
    assert_int_equal(ram_remove(f.store, &disk.id, NULL, &f.msg), 0);
    disk.spy = NULL;
    fixture_deinit(&f);
}

/* A writer in the midst of a reader's look, once. */
static void make_anew(void)
{
    struct ram_info info;
    disk.spy = NULL;
    if (disk.trace_len == 0) {
        assert_int_equal(ram_remove(disk.spied->store, &disk.id, NULL, &disk.spied->msg), 0);
        assert_int_equal(put_ram(disk.spied, &disk.id, "longer", &info), 1);
    }
}

TEST(fault, a_session_made_anew_while_it_is_read_is_read_again)
{
    struct fixture f;
    fixture_init(&f);
    struct ram_info info;
    struct ram_lease lease;
    disk.spied = &f;
    disk.id = fresh_id();
    assert_int_equal(put_ram(&f, &disk.id, "old", &info), 1);
    disk_arm(-1, 0, 0);
    disk.spy = make_anew;
    assert_int_equal(ram_load(f.store, &disk.id, &lease, &f.msg), 0);
    disk.spy = NULL;
    assert_int_equal(lease.info.size, 6);
    ram_release(f.store, &lease);
    fixture_deinit(&f);
}

static bool holds(struct fixture *f, const struct id *id, const char *text)
{
    struct ram_lease lease;
    char bytes[16] = {0};
    assert_int_equal(ram_load(f->store, id, &lease, &f->msg), 0);
    assert_int_equal(pread(lease.fd, bytes, sizeof bytes - 1, 0), (ssize_t)lease.info.size);
    ram_release(f->store, &lease);
    return strcmp(bytes, text) == 0;
}

/* One commit over `old` with the n-th call failing; false when it no longer reaches so far. */
static bool try_commit(int n, int number, int err)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct ram_info info;
    struct ram_lease base;
    uint8_t page[PAGE_SIZE] = "new";
    static const uint8_t dirty[1] = {1};
    int fd = memfd_of(page, sizeof page);
    assert_int_equal(put_ram(&f, &id, "old", &info), 1);
    assert_int_equal(ram_load(f.store, &id, &base, &f.msg), 0);
    const struct ram_commit commit = {
        .id = id, .base = &base, .rom = id, .pages_fd = fd, .dirty = dirty, .pages_count = 1};
    disk_arm(n, number, err);
    int result = ram_commit(f.store, &commit, &info, &f.msg);
    bool was_reached = disk.countdown < 0;
    bool was_last_sync = strcmp(disk.trace, "OWTSOWSMRM") == 0;
    disk_arm(-1, 0, 0);
    if (result) {
        assert_int_equal(result, err);
        assert_true(holds(&f, &id, "old"));
    }
    bool is_broken = store_is_writable(f.store, NULL) == ERR_READ_ONLY;
    if (is_broken) {
        assert_int_equal(put_ram(&f, &id, "more", &info), ERR_READ_ONLY);
    }
    ram_release(f.store, &base);
    close(fd);
    fixture_reopen(&f);
    /* The old file's removal alone may fail unseen; a sync's outcome is open. */
    if (!(result && was_last_sync)) {
        assert_true(holds(&f, &id, result ? "old" : "new"));
    } else {
        assert_true(holds(&f, &id, "old") || holds(&f, &id, "new"));
    }
    assert_int_equal(f.report.corrupt_count, 0);
    assert_true(!result || is_broken || f.report.dropped_count == 0);
    fixture_deinit(&f);
    return was_reached;
}

TEST(fault, a_commit_that_fails_anywhere_changes_nothing)
{
    int n = 1;
    while (try_commit(n, ENOSPC, ERR_FULL)) {
        n++;
    }
    assert_int_equal(n, 12); /* eleven calls, as above */
    for (n = 1; try_commit(n, EIO, ERR_IO); n++) {
    }
    for (n = 1; try_commit(n, EROFS, ERR_READ_ONLY); n++) {
    }
}

static bool try_rom(int n)
{
    struct fixture f;
    fixture_init(&f);
    struct id id = fresh_id();
    struct rom_info rom;
    struct blob_lease lease;
    assert_int_equal(put_rom(&f, &id, "old", &rom), 1);
    disk_arm(n, ENOSPC, ERR_FULL);
    int result = put_rom(&f, &id, "newer", &rom);
    bool was_reached = disk.countdown < 0;
    bool was_last_sync = strcmp(disk.trace, "OWSRBOWSRP") == 0;
    disk_arm(-1, 0, 0);
    uint64_t size = result ? 3 : 5;
    assert_int_equal(blob_get(f.store, &id, &lease, &f.msg), 0);
    assert_int_equal(lease.rom.size, size);
    blob_release(f.store, &lease);
    fixture_reopen(&f);
    assert_int_equal(blob_get(f.store, &id, &lease, &f.msg), 0);
    assert_true(lease.rom.size == size || (result && was_last_sync));
    blob_release(f.store, &lease);
    fixture_deinit(&f);
    return was_reached;
}

TEST(fault, a_rom_put_that_fails_anywhere_changes_nothing)
{
    int n = 1;
    while (try_rom(n)) {
        n++;
    }
    assert_int_equal(n, 12);
}

TEST(fault, a_full_file_system_loses_nothing)
{
    struct fixture f = {.path = "/tmp/mote-store-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    if (mount("mote", f.path, "tmpfs", 0, "size=1m")) {
        assert_int_equal(rmdir(f.path), 0);
        skip(); /* only root may mount; the failing disk above shows the same */
    }
    char mount_path[32];
    snprintf(mount_path, sizeof mount_path, "%.31s", f.path);
    snprintf(f.path, sizeof f.path, "%s/store", mount_path);
    fixture_open(&f);
    struct id id = fresh_id();
    struct ram_info info;
    struct ram_lease lease;
    assert_int_equal(put_ram(&f, &id, "kept", &info), 1);
    size_t size = MiB(2);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 7, size);
    int fd = memfd_of(bytes, size);
    struct ram_put put = {.id = id, .fd = fd, .size = size};
    assert_int_equal(ram_put(f.store, &put, &info, &f.msg), ERR_FULL);
    assert_non_null(strstr(f.msg.text, "No space left"));
    put.id = fresh_id();
    assert_int_equal(ram_put(f.store, &put, &info, &f.msg), ERR_FULL);
    assert_int_equal(ram_load(f.store, &put.id, &lease, &f.msg), ERR_NOT_FOUND);
    assert_ram(&f, &id, "kept");
    assert_int_equal(store_is_writable(f.store, &f.msg), 0);
    assert_int_equal(put_ram(&f, &id, "goes on", &info), 0);
    fixture_reopen(&f);
    assert_int_equal(f.report.dropped_count, 0);
    assert_ram(&f, &id, "goes on");
    store_close(f.store);
    close(fd);
    free(bytes);
    assert_int_equal(umount(mount_path), 0);
    assert_int_equal(rmdir(mount_path), 0);
}
