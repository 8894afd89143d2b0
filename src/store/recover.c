/* recover.c - read a store's names at open, judge them, and delete what a crash left */
/* SPDX-License-Identifier: MIT */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>

struct recovery {
    struct store *store;
    struct store_report *report;
    bool is_sweep;         /* second pass: names are known and durable, the rest may go */
    bool has_corrupt_roms; /* any blob may be theirs, so all stay */
};

/* A file name taken apart: an id, then a dot and a suffix, or nothing. */
static bool split_name(const char *name, struct id *ret_id, const char **ret_suffix)
{
    size_t len = strlen(name);
    if (len < ID_TEXT_LEN || !id_parse(span_of(name, ID_TEXT_LEN), ret_id)) {
        return false;
    }
    /* Names of ours are lower case: any other form is a stranger. */
    char text[ID_TEXT_LEN + 1];
    id_format(ret_id, text);
    *ret_suffix = name + ID_TEXT_LEN;
    return memcmp(text, name, ID_TEXT_LEN) == 0;
}

static bool parse_file_number(const char *suffix, uint64_t *ret_file)
{
    if (suffix[0] != '.' || suffix[1] < '1' || suffix[1] > '9') {
        return false;
    }
    uint64_t file = 0;
    for (const char *p = suffix + 1; *p; p++) {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(file, 10u, &file) ||
            __builtin_add_overflow(file, (uint64_t)(*p - '0'), &file)) {
            return false;
        }
    }
    *ret_file = file;
    return true;
}

static void sweep_file(struct recovery *r, int dir, const char *name)
{
    drop_file(dir, name);
    r->report->dropped_count++;
}

static void note_corrupt(struct recovery *r, struct slot *slot, int dir, const char *name,
                         const struct msg *why)
{
    slot->is_corrupt = true;
    r->has_corrupt_roms = r->has_corrupt_roms || dir == r->store->rom_dir;
    if (r->report->corrupt_count++ == 0) {
        /* Logs show eight digits of an id, as whoever knows all may use it. */
        snprintf(r->report->corrupt_name, sizeof r->report->corrupt_name, "%s/%.8s*%s",
                 dir == r->store->rom_dir ? "rom" : "ram", name, name + ID_TEXT_LEN);
        r->report->corrupt_why = *why;
    }
}

/* The whole of a small file; one that is too long cannot be a record, so its start suffices. */
static int read_small(int dir, const char *name, uint8_t text[RECORD_BYTES_MAX], size_t *ret_len)
{
    int fd = -1;
    int err = os_file_open(dir, name, OS_OPEN_READ, &fd);
    if (err == 0) {
        err = os_file_read(fd, text, RECORD_BYTES_MAX, 0, ret_len);
    }
    os_file_close(fd);
    return err;
}

/* Whether the file is there and has that many bytes; false too where it cannot be looked at. */
static bool has_size(int dir, const char *name, uint64_t size, struct msg *msg)
{
    int fd = -1;
    uint64_t found = 0;
    int err = os_file_open(dir, name, OS_OPEN_READ, &fd);
    if (err == 0) {
        err = os_file_size(fd, &found);
    }
    os_file_close(fd);
    if (err) {
        UNUSED int same = fail(msg, err, "its bytes cannot be looked at: %s", err_text(err));
        return false;
    }
    if (found != size) {
        UNUSED int same = fail(msg, ERR_CORRUPT, "its bytes are %llu instead of %llu",
                               (unsigned long long)found, (unsigned long long)size);
    }
    return found == size;
}

/* In words, where a record could be read and is another's. */
static bool is_of(const struct id *id, const struct id *wanted, struct msg *msg)
{
    bool is_same = id_equals(id, wanted);
    if (!is_same) {
        UNUSED int same = fail(msg, ERR_CORRUPT, "it is the record of another id");
    }
    return is_same;
}

static int add_rom(struct recovery *r, const struct id *id, const char *name)
{
    struct store *store = r->store;
    uint8_t text[RECORD_BYTES_MAX], key[KEY_SIZE];
    size_t len = 0;
    key_of_id(id, key);
    struct rom *rom = (struct rom *)table_insert(&store->roms, key);
    if (!rom) {
        return ERR_NO_MEMORY;
    }
    rom->slot.exists = true;
    r->report->roms_count++;
    struct msg why;
    int err = read_small(store->rom_dir, name, text, &len);
    err = err ? io_fail(&why, err, "it cannot be read", "")
              : rom_record_read(span_of(text, len), &rom->info, &why);
    if (err || !is_of(&rom->info.id, id, &why)) {
        note_corrupt(r, &rom->slot, store->rom_dir, name, &why);
        return err == ERR_NO_MEMORY ? err : 0;
    }
    char blob_name[NAME_MAX_SIZE];
    name_of_blob(rom->info.sha256, "", blob_name);
    if (!has_size(store->blob_dir, blob_name, rom->info.size, &why)) {
        note_corrupt(r, &rom->slot, store->rom_dir, name, &why);
        return 0;
    }
    struct slot *slot = table_find(&store->blobs, rom->info.sha256);
    slot = slot ? slot : table_insert(&store->blobs, rom->info.sha256);
    if (!slot) {
        return ERR_NO_MEMORY;
    }
    slot->exists = true;
    ((struct blob *)slot)->names++;
    return 0;
}

static int visit_rom(void *context, const char *name)
{
    struct recovery *r = context;
    struct id id;
    const char *suffix;
    if (!split_name(name, &id, &suffix)) {
        return 0;
    }
    if (r->is_sweep) {
        if (strcmp(suffix, ".tmp") == 0) {
            sweep_file(r, r->store->rom_dir, name);
        }
        return 0;
    }
    return suffix[0] == '\0' ? add_rom(r, &id, name) : 0;
}

/* Of the sweep only. */
static int visit_blob(void *context, const char *name)
{
    struct recovery *r = context;
    uint8_t sha256[SHA256_SIZE];
    if (strlen(name) < SHA256_TEXT_SIZE - 1 ||
        !hash_parse(span_of(name, SHA256_TEXT_SIZE - 1), sha256)) {
        return 0;
    }
    const char *suffix = name + SHA256_TEXT_SIZE - 1;
    bool is_temporary = strcmp(suffix, ".tmp") == 0;
    bool is_orphan =
        suffix[0] == '\0' && !r->has_corrupt_roms && !table_find(&r->store->blobs, sha256);
    if (is_temporary || is_orphan) {
        sweep_file(r, r->store->blob_dir, name);
    }
    return 0;
}

static int add_session(struct recovery *r, const struct id *id, const char *name)
{
    struct store *store = r->store;
    uint8_t text[RECORD_BYTES_MAX], key[KEY_SIZE];
    size_t len = 0;
    key_of_id(id, key);
    struct session *session = (struct session *)table_insert(&store->sessions, key);
    if (!session) {
        return ERR_NO_MEMORY;
    }
    session->slot.exists = true;
    r->report->sessions_count++;
    struct msg why;
    int err = read_small(store->ram_dir, name, text, &len);
    err = err ? io_fail(&why, err, "it cannot be read", "")
              : ram_record_read(span_of(text, len), &session->record, &why);
    char ram_name[NAME_MAX_SIZE];
    name_of_ram(id, session->record.file, ram_name);
    if (err || !is_of(&session->record.info.id, id, &why) ||
        !has_size(store->ram_dir, ram_name, session->record.info.size, &why)) {
        note_corrupt(r, &session->slot, store->ram_dir, name, &why);
    }
    return err == ERR_NO_MEMORY ? err : 0;
}

/* A RAM file that its session's record does not name is of an unfinished or replaced version. All
 * files of a corrupt session stay for a person to look at; new ones are numbered above them. */
static void sweep_ram(struct recovery *r, const struct id *id, const char *name, uint64_t file)
{
    uint8_t key[KEY_SIZE];
    key_of_id(id, key);
    struct session *session = (struct session *)table_find(&r->store->sessions, key);
    if (!session || (!session->slot.is_corrupt && session->record.file != file)) {
        sweep_file(r, r->store->ram_dir, name);
    } else if (session->record.file < file) {
        session->record.file = file;
    }
}

static int visit_ram(void *context, const char *name)
{
    struct recovery *r = context;
    struct id id;
    const char *suffix;
    uint64_t file;
    if (!split_name(name, &id, &suffix)) {
        return 0;
    }
    if (!r->is_sweep) {
        return strcmp(suffix, ".meta") == 0 ? add_session(r, &id, name) : 0;
    }
    if (strcmp(suffix, ".tmp") == 0) {
        sweep_file(r, r->store->ram_dir, name);
    } else if (parse_file_number(suffix, &file)) {
        sweep_ram(r, &id, name, file);
    }
    return 0;
}

/* Once all names are read: those seen may not be durable yet (the writer was killed before its
 * sync), and what they replaced must not go before they are. */
static int sync_names(struct store *store)
{
    int err = sync_dir(store, store->blob_dir);
    if (err == 0) {
        err = sync_dir(store, store->rom_dir);
    }
    return err ? err : sync_dir(store, store->ram_dir);
}

int recover_store(struct store *store, struct store_report *report, struct msg *msg)
{
    struct recovery r = {.store = store, .report = report};
    int err = os_dir_walk(store->rom_dir, visit_rom, &r);
    if (err == 0) {
        err = os_dir_walk(store->ram_dir, visit_ram, &r);
    }
    if (err == 0) {
        err = sync_names(store);
    }
    r.is_sweep = true;
    if (err == 0) {
        err = os_dir_walk(store->rom_dir, visit_rom, &r);
    }
    if (err == 0) {
        err = os_dir_walk(store->blob_dir, visit_blob, &r);
    }
    if (err == 0) {
        err = os_dir_walk(store->ram_dir, visit_ram, &r);
    }
    return err ? io_fail(msg, err, "cannot read the store", store->path.text) : 0;
}
