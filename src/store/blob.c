/* blob.c - ROMs: bytes under their SHA-256, and the ids that name them */
/* SPDX-License-Identifier: MIT */
#include "store/internal.h"

#include <stdlib.h>

enum { COPY_BYTES = 65536 };

static void stop_holding(struct store *store, struct blob *blob)
{
    check(store->held_bytes >= blob->held_bytes);
    store->held_bytes -= blob->held_bytes;
    blob->held_bytes = 0;
}

/* With the lock held: one name less for a blob of `size` bytes. */
static void drop_name(struct store *store, struct blob *blob, uint64_t size)
{
    blob->names--;
    if (blob->names == 0 && blob->leases > 0) {
        blob->held_bytes = size;
        store->held_bytes += size;
    }
    blob_collect(store, blob);
}

void blob_collect(struct store *store, struct blob *blob)
{
    /* A busy blob belongs to a put, which holds a lease; a broken store no longer knows what is
     * durable, so it deletes nothing. */
    if (blob->names == 0 && blob->leases == 0) {
        stop_holding(store, blob);
    }
    if (blob->names > 0 || blob->leases > 0 || blob->slot.is_busy || is_broken(store)) {
        return;
    }
    char name[NAME_MAX_SIZE];
    name_of_blob(blob->slot.key, "", name);
    blob->slot.is_busy = true;
    os_monitor_leave(store->lock);
    int err = os_name_remove(store->blob_dir, name);
    os_monitor_enter(store->lock);
    blob->slot.exists = err != 0 && err != ERR_NOT_FOUND;
    table_unclaim(&store->blobs, store->lock, &blob->slot);
}

static int copy_bytes(int from, int to, uint64_t size)
{
    uint8_t bytes[COPY_BYTES];
    for (uint64_t at = 0; at < size;) {
        size_t part = size - at < sizeof bytes ? (size_t)(size - at) : sizeof bytes;
        size_t got;
        int err = os_file_read(from, bytes, part, at, &got);
        if (err == 0 && got < part) {
            err = ERR_ARGUMENT;
        }
        if (err == 0) {
            err = os_file_write(to, bytes, got, at);
        }
        if (err) {
            return err;
        }
        at += got;
    }
    return os_file_sync(to);
}

/* Whether the file has the bytes that its name says: what is put again must heal what was damaged,
 * since its writer was told that it is there. */
static bool is_whole(struct store *store, const char *name, const struct blob *blob, uint64_t size)
{
    uint8_t sha256[SHA256_SIZE];
    int fd = -1;
    uint64_t found = 0;
    int err = os_file_open(store->blob_dir, name, OS_OPEN_READ, &fd);
    err = err ? err : os_file_size(fd, &found);
    bool is_sized = !err && found == size && hash_file(fd, size, sha256) == 0;
    os_file_close(fd);
    return is_sized && memcmp(sha256, blob->slot.key, SHA256_SIZE) == 0;
}

/* Brings the bytes to their place; the blob is the caller's claim. The place is synced even where
 * the bytes were there: whoever wrote them may not have come so far. */
static int write_blob(struct store *store, const struct blob *blob, const struct blob_put *put)
{
    char name[NAME_MAX_SIZE], temporary[NAME_MAX_SIZE];
    name_of_blob(blob->slot.key, "", name);
    name_of_blob(blob->slot.key, ".tmp", temporary);
    int err = 0;
    if (!blob->slot.exists || !is_whole(store, name, blob, put->size)) {
        int fd;
        err = make_file(store->blob_dir, temporary, &fd);
        if (err) {
            return err;
        }
        err = copy_bytes(put->fd, fd, put->size);
        os_file_close(fd);
        if (err == 0) {
            err = os_name_rename(store->blob_dir, temporary, name);
        }
        if (err) {
            drop_file(store->blob_dir, temporary);
            return err;
        }
    }
    return sync_dir(store, store->blob_dir);
}

/* Leases the blob of these bytes, written and durable. */
static int lease_blob(struct store *store, const struct blob_put *put, const uint8_t *sha256,
                      struct blob **ret_blob)
{
    os_monitor_enter(store->lock);
    struct slot *slot;
    int err = table_claim(&store->blobs, store->lock, sha256, true, &slot);
    if (err) {
        os_monitor_leave(store->lock);
        return err;
    }
    struct blob *blob = (struct blob *)slot;
    blob->leases++;
    os_monitor_leave(store->lock);
    err = write_blob(store, blob, put);
    os_monitor_enter(store->lock);
    if (err) {
        blob->leases--;
    } else {
        slot->exists = true;
    }
    bool is_left = slot->exists;
    table_unclaim(&store->blobs, store->lock, slot);
    if (err && is_left) {
        blob_collect(store, blob);
    }
    os_monitor_leave(store->lock);
    if (err == 0) {
        *ret_blob = blob;
    }
    return err;
}

/* Makes the id name the bytes: the rename commits. */
static int write_name(struct store *store, const struct rom_info *info)
{
    char name[NAME_MAX_SIZE], temporary[NAME_MAX_SIZE];
    name_of_id(&info->id, "", name);
    name_of_id(&info->id, ".tmp", temporary);
    struct buf text;
    buf_init(&text, RECORD_BYTES_MAX);
    rom_record_write(info, &text);
    struct rom_info again;
    int err = text.failed ? ERR_NO_MEMORY : rom_record_read(buf_span(&text), &again, NULL);
    if (err == 0) {
        err = write_small(store->rom_dir, temporary, buf_span(&text));
    } else if (err == ERR_CORRUPT) {
        err = ERR_ARGUMENT; /* what the caller gave (id, word) could not be read back */
    }
    buf_deinit(&text);
    if (err) {
        return err;
    }
    err = os_name_rename(store->rom_dir, temporary, name);
    if (err) {
        drop_file(store->rom_dir, temporary);
        return err;
    }
    return sync_dir(store, store->rom_dir);
}

/* With the lock held: the id, so far `rom`, now names `blob`, leased by the caller until here. */
static void take_name(struct store *store, struct rom *rom, const struct rom_info *info,
                      struct blob *blob)
{
    struct blob *old = NULL;
    uint64_t old_size = rom->info.size;
    if (rom->slot.exists && !rom->slot.is_corrupt) {
        old = (struct blob *)table_find(&store->blobs, rom->info.sha256);
    }
    rom->info = *info;
    rom->slot.exists = true;
    rom->slot.is_corrupt = false;
    blob->names++;
    blob->leases--;
    stop_holding(store, blob);
    if (old) {
        drop_name(store, old, old_size);
    }
}

static int fill_info(const struct blob_put *put, struct rom_info *info, struct msg *msg)
{
    size_t len = strlen(put->format);
    if (put->size > OBJECT_BYTES_MAX) {
        return fail(msg, ERR_TOO_BIG, "a ROM of %llu bytes, the most is %llu",
                    (unsigned long long)put->size, (unsigned long long)OBJECT_BYTES_MAX);
    }
    if (len == 0 || len >= FORMAT_WORD_SIZE) {
        return fail(msg, ERR_ARGUMENT, "a format word of %zu characters, not 1 to %d", len,
                    FORMAT_WORD_SIZE - 1);
    }
    *info = (struct rom_info){.id = put->id, .size = put->size, .created_ms = put->now_ms};
    memcpy(info->format, put->format, len);
    int err = hash_file(put->fd, put->size, info->sha256);
    return err ? io_fail(msg, err, "cannot read the uploaded bytes of ROM", "") : 0;
}

/* Claims the id's entry, made where there is none. */
static int claim_rom(struct store *store, const struct id *id, bool make, struct rom **ret_rom)
{
    uint8_t key[KEY_SIZE];
    key_of_id(id, key);
    struct slot *slot;
    int err = table_claim(&store->roms, store->lock, key, make, &slot);
    if (err == 0) {
        *ret_rom = (struct rom *)slot;
    }
    return err;
}

int blob_put(struct store *store, const struct blob_put *put, struct rom_info *ret_rom,
             struct msg *msg)
{
    struct rom_info info;
    int err = fill_info(put, &info, msg);
    if (err == 0) {
        err = check_room(store, msg);
    }
    if (err) {
        return err;
    }
    char label[LABEL_SIZE];
    label_of_id(&put->id, label);
    os_monitor_enter(store->lock);
    struct rom *rom = NULL;
    err = claim_rom(store, &put->id, true, &rom);
    os_monitor_leave(store->lock);
    if (err == ERR_QUOTA) {
        return fail(msg, err, "the store has %u ROMs, which is its limit", store->roms.max);
    }
    if (err) {
        return fail(msg, err, "ROM %s: %s", label, err_text(err));
    }
    bool is_new = !rom->slot.exists;
    struct blob *blob;
    err = lease_blob(store, put, info.sha256, &blob);
    if (err == 0) {
        err = write_name(store, &info);
        int reason = err ? io_fail(msg, err, "cannot write ROM", label) : 0;
        os_monitor_enter(store->lock);
        if (err == 0) {
            take_name(store, rom, &info, blob);
        } else {
            blob->leases--;
            blob_collect(store, blob);
        }
        os_monitor_leave(store->lock);
        err = reason;
    } else {
        err = io_fail(msg, err, "cannot write the bytes of ROM", label);
    }
    os_monitor_enter(store->lock);
    table_unclaim(&store->roms, store->lock, &rom->slot);
    os_monitor_leave(store->lock);
    if (err) {
        return err;
    }
    *ret_rom = info;
    return is_new;
}

/* With the lock held. */
static int find_rom(struct store *store, const struct id *id, struct rom **ret_rom, struct msg *msg)
{
    uint8_t key[KEY_SIZE];
    char label[LABEL_SIZE];
    key_of_id(id, key);
    label_of_id(id, label);
    struct rom *rom = (struct rom *)table_find(&store->roms, key);
    if (!rom || !rom->slot.exists) {
        return fail(msg, ERR_NOT_FOUND, "there is no ROM %s", label);
    }
    if (rom->slot.is_corrupt) {
        return fail(msg, ERR_CORRUPT, "ROM %s: its record or its bytes are damaged: put it again",
                    label);
    }
    *ret_rom = rom;
    return 0;
}

int blob_get(struct store *store, const struct id *id, struct blob_lease *ret_lease,
             struct msg *msg)
{
    struct blob_lease lease = {.fd = -1};
    os_monitor_enter(store->lock);
    struct rom *rom = NULL;
    int err = find_rom(store, id, &rom, msg);
    if (err) {
        os_monitor_leave(store->lock);
        return err;
    }
    lease.rom = rom->info;
    struct blob *blob = (struct blob *)table_find(&store->blobs, rom->info.sha256);
    check(blob);
    blob->leases++;
    os_monitor_leave(store->lock);

    char name[NAME_MAX_SIZE], label[LABEL_SIZE];
    uint64_t size = 0;
    name_of_blob(lease.rom.sha256, "", name);
    label_of_id(id, label);
    err = os_file_open(store->blob_dir, name, OS_OPEN_READ, &lease.fd);
    if (err == 0) {
        err = os_file_size(lease.fd, &size);
    }
    if (err == ERR_NOT_FOUND) {
        err = fail(msg, ERR_CORRUPT, "ROM %s: its file is missing: put it again", label);
    } else if (err) {
        err = io_fail(msg, err, "cannot read the bytes of ROM", label);
    } else if (size != lease.rom.size) {
        err =
            fail(msg, ERR_CORRUPT, "ROM %s: its file has %llu bytes instead of %llu: put it again",
                 label, (unsigned long long)size, (unsigned long long)lease.rom.size);
    }
    if (err) {
        blob_release(store, &lease);
        return err;
    }
    *ret_lease = lease;
    return 0;
}

void blob_release(struct store *store, struct blob_lease *lease)
{
    os_file_close(lease->fd);
    lease->fd = -1;
    os_monitor_enter(store->lock);
    struct blob *blob = (struct blob *)table_find(&store->blobs, lease->rom.sha256);
    check(blob);
    check(blob->leases > 0);
    blob->leases--;
    blob_collect(store, blob);
    os_monitor_leave(store->lock);
}

static int remove_name(struct store *store, const struct id *id)
{
    char name[NAME_MAX_SIZE];
    name_of_id(id, "", name);
    int err = os_name_remove(store->rom_dir, name);
    return err && err != ERR_NOT_FOUND ? err : sync_dir(store, store->rom_dir);
}

int blob_remove(struct store *store, const struct id *id, const uint8_t *sha256, struct msg *msg)
{
    char label[LABEL_SIZE];
    label_of_id(id, label);
    int err = store_is_writable(store, msg);
    if (err) {
        return err;
    }
    os_monitor_enter(store->lock);
    struct rom *rom = NULL;
    err = claim_rom(store, id, false, &rom);
    if (err) {
        os_monitor_leave(store->lock);
        return fail(msg, err, "there is no ROM %s", label);
    }
    bool is_sound = !rom->slot.is_corrupt;
    if (sha256 && !(is_sound && memcmp(rom->info.sha256, sha256, SHA256_SIZE) == 0)) {
        err = fail(msg, ERR_CONFLICT, "ROM %s holds other bytes", label);
    } else {
        os_monitor_leave(store->lock);
        err = remove_name(store, id);
        if (err) {
            err = io_fail(msg, err, "cannot remove ROM", label);
        }
        os_monitor_enter(store->lock);
        rom->slot.exists = err != 0;
    }
    struct blob *blob = NULL;
    if (err == 0 && is_sound) {
        blob = (struct blob *)table_find(&store->blobs, rom->info.sha256);
    }
    uint64_t size = rom->info.size;
    table_unclaim(&store->roms, store->lock, &rom->slot);
    if (blob) {
        drop_name(store, blob, size);
    }
    os_monitor_leave(store->lock);
    return err;
}

static int compare_age(const void *a, const void *b)
{
    const struct rom_info *left = a;
    const struct rom_info *right = b;
    if (left->created_ms != right->created_ms) {
        return left->created_ms < right->created_ms ? -1 : 1;
    }
    return memcmp(&left->id, &right->id, sizeof left->id);
}

int blob_list(struct store *store, bool (*visit)(void *context, const struct rom_info *),
              void *context)
{
    os_monitor_enter(store->lock);
    const struct table *roms = &store->roms;
    struct rom_info *list = malloc((roms->count + 1u) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; list && i < roms->buckets_count; i++) {
        for (struct slot *slot = roms->buckets[i]; slot; slot = slot->next) {
            if (slot->exists && !slot->is_corrupt) {
                list[count++] = ((struct rom *)slot)->info;
            }
        }
    }
    os_monitor_leave(store->lock);
    if (!list) {
        return ERR_NO_MEMORY;
    }
    qsort(list, count, sizeof *list, compare_age);
    for (size_t i = 0; i < count && visit(context, &list[i]); i++) {
    }
    free(list);
    return 0;
}
