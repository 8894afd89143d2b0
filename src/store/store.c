/* store.c - open, lock and close a store; the steps that its writes are made of */
/* SPDX-License-Identifier: MIT */
#include "base/defaults.h"
#include "os/random.h"
#include "store/internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STORE_VERSION = 1,
    /* Children of a killed server hold its lock until they have died too. */
    LOCK_WAIT_MS = 1000,
};

void key_of_id(const struct id *id, uint8_t ret_key[KEY_SIZE])
{
    memset(ret_key, 0, KEY_SIZE);
    memcpy(ret_key, id->bytes, sizeof id->bytes);
}

void label_of_id(const struct id *id, char ret_label[LABEL_SIZE])
{
    snprintf(ret_label, LABEL_SIZE, "%02x%02x%02x%02x", id->bytes[0], id->bytes[1], id->bytes[2],
             id->bytes[3]);
}

void name_of_id(const struct id *id, const char *suffix, char ret_name[NAME_MAX_SIZE])
{
    char text[ID_TEXT_LEN + 1];
    id_format(id, text);
    snprintf(ret_name, NAME_MAX_SIZE, "%s%s", text, suffix);
}

void name_of_ram(const struct id *id, uint64_t file, char ret_name[NAME_MAX_SIZE])
{
    char suffix[24];
    snprintf(suffix, sizeof suffix, ".%" PRIu64, file);
    name_of_id(id, suffix, ret_name);
}

void name_of_blob(const uint8_t sha256[SHA256_SIZE], const char *suffix,
                  char ret_name[NAME_MAX_SIZE])
{
    char text[SHA256_TEXT_SIZE];
    hash_format(sha256, text);
    snprintf(ret_name, NAME_MAX_SIZE, "%s%s", text, suffix);
}

int io_fail(struct msg *msg, int err, const char *deed, const char *label)
{
    char what[sizeof msg->text];
    snprintf(what, sizeof what, "%s%s%s", deed, label[0] ? " " : "", label);
    return os_fail(msg, err, what);
}

bool is_broken(const struct store *store)
{
    return store->broken.text[0] != '\0';
}

int sync_dir(struct store *store, int dir)
{
    int err = os_file_sync(dir);
    if (err) {
        os_monitor_enter(store->lock);
        if (!is_broken(store)) {
            struct msg why;
            UNUSED int same = os_fail(&why, err, "its directory could not be synced");
            err = fail(&store->broken, err,
                       "the store %.100s writes no more since %.150s; look after the disk, then "
                       "start the server again",
                       store->path.text, why.text);
        }
        os_monitor_leave(store->lock);
    }
    return err;
}

int make_file(int dir, const char *name, int *ret_fd)
{
    int err = os_file_open(dir, name, OS_OPEN_NEW, ret_fd);
    if (err == ERR_EXISTS) {
        drop_file(dir, name);
        err = os_file_open(dir, name, OS_OPEN_NEW, ret_fd);
    }
    return err;
}

int write_small(int dir, const char *name, struct span bytes)
{
    int fd;
    int err = make_file(dir, name, &fd);
    if (err) {
        return err;
    }
    err = os_file_write(fd, bytes.data, bytes.len, 0);
    if (err == 0) {
        err = os_file_sync(fd);
    }
    os_file_close(fd);
    if (err) {
        drop_file(dir, name);
    }
    return err;
}

void drop_file(int dir, const char *name)
{
    int err = os_name_remove(dir, name);
    (void)err; /* the next open deletes what stays */
}

int store_is_writable(struct store *store, struct msg *msg)
{
    os_monitor_enter(store->lock);
    int err = is_broken(store) ? fail(msg, ERR_READ_ONLY, "%s", store->broken.text) : 0;
    os_monitor_leave(store->lock);
    return err;
}

int check_room(struct store *store, struct msg *msg)
{
    int err = store_is_writable(store, msg);
    if (err) {
        return err;
    }
    os_monitor_enter(store->lock);
    uint64_t held = store->held_bytes;
    os_monitor_leave(store->lock);
    return held <= store->held_bytes_max
               ? 0
               : fail(msg, ERR_FULL,
                      "replies and runs under way keep %llu bytes of replaced and removed ROMs and "
                      "sessions on the disk, over the limit of %llu",
                      (unsigned long long)held, (unsigned long long)store->held_bytes_max);
}

int store_make_id(struct id *ret_id)
{
    uint8_t random[16];
    int err = os_random(random, sizeof random);
    if (err == 0) {
        *ret_id = id_from_random(random);
    }
    return err;
}

/* What stands in the directory before it is opened as a store. */
struct sight {
    bool has_format;
    bool has_others;
};

static int see_name(void *context, const char *name)
{
    /* The last two are an older version's, and what file systems put there. */
    static const char *const ours[] = {"rom", "blob", "ram", "format.tmp", "lock", "lost+found"};
    struct sight *sight = context;
    bool is_ours = false;
    for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
        is_ours = is_ours || strcmp(name, ours[i]) == 0;
    }
    bool is_format = strcmp(name, "format") == 0;
    sight->has_format = sight->has_format || is_format;
    sight->has_others = sight->has_others || (!is_ours && !is_format);
    return 0;
}

static int look_around(struct store *store, struct sight *ret_sight, struct msg *msg)
{
    *ret_sight = (struct sight){0};
    int err = os_dir_walk(store->dir, see_name, ret_sight);
    if (err) {
        return io_fail(msg, err, "cannot list the store", store->path.text);
    }
    if (!ret_sight->has_format && ret_sight->has_others) {
        return fail(msg, ERR_BAD_FILE,
                    "%s holds other things and no store: name an empty directory",
                    store->path.text);
    }
    return 0;
}

/* `mote-store` and a number. */
static int check_format(struct store *store, struct msg *msg)
{
    char text[64] = {0};
    int fd = -1;
    size_t len = 0;
    int err = os_file_open(store->dir, "format", OS_OPEN_READ, &fd);
    if (err == 0) {
        err = os_file_read(fd, text, sizeof text - 1, 0, &len);
    }
    os_file_close(fd);
    if (err) {
        return io_fail(msg, err, "cannot read the file `format` of the store", store->path.text);
    }
    char *end = text;
    unsigned long version = 0;
    if (strncmp(text, "mote-store ", 11) == 0) {
        version = strtoul(text + 11, &end, 10);
    }
    if (version == 0 || strcmp(end, "\n") != 0) {
        return fail(msg, ERR_CORRUPT, "%s/format does not say `mote-store` and a version",
                    store->path.text);
    }
    if (version > STORE_VERSION) {
        return fail(msg, ERR_BAD_FILE,
                    "the store %s has format version %lu, this Mote knows versions up to %d: use a "
                    "newer Mote",
                    store->path.text, version, STORE_VERSION);
    }
    return 0;
}

static int open_dirs(struct store *store, bool make, struct msg *msg)
{
    int err = os_dir_open(store->dir, "rom", make, &store->rom_dir);
    if (err == 0) {
        err = os_dir_open(store->dir, "blob", make, &store->blob_dir);
    }
    if (err == 0) {
        err = os_dir_open(store->dir, "ram", make, &store->ram_dir);
    }
    return err ? io_fail(msg, err, "cannot open the directories of store", store->path.text) : 0;
}

/* Makes an empty directory a store; `format` comes last, so that half of this is no store yet. */
static int write_format(struct store *store, struct msg *msg)
{
    static const char text[] = "mote-store 1\n";
    static_assert(STORE_VERSION == 1, "the text above");
    int err = sync_dir(store, store->dir);
    if (err == 0) {
        err = write_small(store->dir, "format.tmp", span_of_string(text));
    }
    if (err == 0) {
        err = os_name_rename(store->dir, "format.tmp", "format");
    }
    if (err == 0) {
        err = sync_dir(store, store->dir);
    }
    int parent = -1;
    if (err == 0 && os_dir_open(store->dir, "..", false, &parent) == 0) {
        err = os_file_sync(parent); /* the directory itself may be new */
        os_file_close(parent);
    }
    return err ? io_fail(msg, err, "cannot make the store", store->path.text) : 0;
}

/* The directory itself is locked: a file could be removed, and another one locked in its place. */
static int take_lock(struct store *store, struct msg *msg)
{
    int err = os_file_lock(store->dir, LOCK_WAIT_MS);
    if (err == ERR_BUSY) {
        return fail(msg, ERR_BUSY, "the store %s is in use by another server", store->path.text);
    }
    return err ? io_fail(msg, err, "cannot lock the store", store->path.text) : 0;
}

static int open_all(struct store *store, struct store_report *report, struct msg *msg)
{
    int err = os_dir_open(OS_DIR_CURRENT, store->path.text, true, &store->dir);
    if (err) {
        return io_fail(msg, err, "cannot open the store", store->path.text);
    }
    struct sight sight;
    err = take_lock(store, msg);
    if (err == 0) {
        err = look_around(store, &sight, msg);
    }
    if (err == 0 && sight.has_format) {
        err = check_format(store, msg);
    }
    if (err == 0) {
        err = open_dirs(store, !sight.has_format, msg);
    }
    if (err == 0 && !sight.has_format) {
        err = write_format(store, msg);
    }
    return err ? err : recover_store(store, report, msg);
}

static int init_tables(struct store *store, const struct store_options *options)
{
    uint32_t roms_max = options->roms_max ? options->roms_max : DEFAULT_ROMS;
    uint32_t sessions_max = options->sessions_max ? options->sessions_max : DEFAULT_SESSIONS;
    uint64_t seed;
    int err = os_random(&seed, sizeof seed);
    if (err == 0) {
        err = table_init(&store->roms, sizeof(struct rom), roms_max, seed);
    }
    if (err == 0) {
        /* Leases bound the blobs that no ROM names. */
        err = table_init(&store->blobs, sizeof(struct blob), UINT32_MAX, seed);
    }
    return err ? err : table_init(&store->sessions, sizeof(struct session), sessions_max, seed);
}

int store_open(const struct store_options *options, struct store **ret_store,
               struct store_report *ret_report, struct msg *msg)
{
    struct store_report report = {0};
    struct store *store = calloc(1, sizeof *store);
    if (!store || os_monitor_create(&store->lock)) {
        free(store);
        return fail(msg, ERR_NO_MEMORY, "no memory for a store");
    }
    store->held_bytes_max = options->held_bytes_max ? options->held_bytes_max : DEFAULT_HELD_BYTES;
    store->dir = store->rom_dir = store->blob_dir = store->ram_dir = -1;
    int err = init_tables(store, options);
    if (err) {
        err = fail(msg, err, "no memory for the tables of a store");
    } else if (strlen(options->path) >= sizeof store->path.text) {
        err = fail(msg, ERR_ARGUMENT, "the path of the store has more than %zu characters",
                   sizeof store->path.text - 1);
    } else {
        snprintf(store->path.text, sizeof store->path.text, "%s", options->path);
        err = open_all(store, &report, msg);
    }
    if (err) {
        store_close(store);
        return err;
    }
    if (ret_report) {
        *ret_report = report;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store) {
        return;
    }
    table_deinit(&store->roms);
    table_deinit(&store->blobs);
    table_deinit(&store->sessions);
    os_file_close(store->ram_dir);
    os_file_close(store->blob_dir);
    os_file_close(store->rom_dir);
    os_file_close(store->dir);
    os_monitor_destroy(store->lock);
    free(store);
}
