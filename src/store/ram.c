/* ram.c - RAM sessions: each version a file of its own, made current by one rename */
/* SPDX-License-Identifier: MIT */
#include "os/random.h"
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOAD_TRIES_MAX = 1000 };

void version_format(const struct version *version, char ret_text[VERSION_TEXT_SIZE])
{
    snprintf(ret_text, VERSION_TEXT_SIZE, "%016" PRIx64 "-%" PRIu64, version->stamp,
             version->count);
}

/* With the lock held: the record of a sound session. */
static int find_record(struct store *store, const struct id *id, struct ram_record *ret_record,
                       struct msg *msg)
{
    uint8_t key[KEY_SIZE];
    char label[LABEL_SIZE];
    key_of_id(id, key);
    label_of_id(id, label);
    const struct session *session = (struct session *)table_find(&store->sessions, key);
    if (!session || !session->slot.exists) {
        return fail(msg, ERR_NOT_FOUND, "there is no session %s", label);
    }
    if (session->slot.is_corrupt) {
        return fail(msg, ERR_CORRUPT,
                    "session %s: ram/%s*.meta or its RAM file is damaged: put or remove it", label,
                    label);
    }
    *ret_record = session->record;
    return 0;
}

static int open_record(struct store *store, const struct ram_record *record, int *ret_fd,
                       struct msg *msg)
{
    char name[NAME_MAX_SIZE], label[LABEL_SIZE];
    name_of_ram(&record->info.id, record->file, name);
    label_of_id(&record->info.id, label);
    int fd = -1;
    uint64_t size;
    int err = os_file_open(store->ram_dir, name, OS_OPEN_READ, &fd);
    if (err == 0) {
        err = os_file_size(fd, &size);
    }
    if (err == ERR_NOT_FOUND) {
        err =
            fail(msg, ERR_CORRUPT, "session %s: its RAM file is missing: put or remove it", label);
    } else if (err) {
        err = io_fail(msg, err, "cannot read the RAM of session", label);
    } else if (size != record->info.size) {
        err = fail(msg, ERR_CORRUPT,
                   "session %s: its RAM file has %llu bytes instead of %llu: put or remove it",
                   label, (unsigned long long)size, (unsigned long long)record->info.size);
    }
    if (err) {
        os_file_close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

/* With the lock held. */
static struct session *find_session(struct store *store, const struct id *id)
{
    uint8_t key[KEY_SIZE];
    key_of_id(id, key);
    return (struct session *)table_find(&store->sessions, key);
}

/* With the lock held: leases the version that `record` is, opened by the caller. ERR_CONFLICT where
 * it is no longer the newest: what was opened, or was not there, may be another's file. */
static int hold_record(struct store *store, const struct ram_record *record, struct hold **ret_hold)
{
    struct session *session = find_session(store, &record->info.id);
    if (!session || !session->slot.exists ||
        !version_equals(&session->record.info.version, &record->info.version)) {
        return ERR_CONFLICT;
    }
    if (!session->hold) {
        session->hold = calloc(1, sizeof *session->hold);
    }
    if (!session->hold) {
        return ERR_NO_MEMORY;
    }
    session->hold->leases++;
    *ret_hold = session->hold;
    return 0;
}

/* With the lock held: the session's file is about to lose its name. */
static void let_go(struct store *store, struct session *session)
{
    if (session->hold) {
        session->hold->is_deleted = true;
        session->hold = NULL;
        store->held_bytes += session->record.info.size;
    }
}

/* With the lock held. */
static void end_hold(struct store *store, const struct ram_lease *lease)
{
    struct hold *hold = lease->hold;
    check(hold->leases > 0);
    if (--hold->leases > 0) {
        return;
    }
    if (hold->is_deleted) {
        check(store->held_bytes >= lease->info.size);
        store->held_bytes -= lease->info.size;
    } else {
        find_session(store, &lease->info.id)->hold = NULL;
    }
    free(hold);
}

/* One try of ram_load; ERR_CONFLICT where the session changed meanwhile. */
static int try_load(struct store *store, const struct id *id, struct ram_lease *ret_lease,
                    struct msg *msg)
{
    struct ram_record record;
    os_monitor_enter(store->lock);
    int err = find_record(store, id, &record, msg);
    os_monitor_leave(store->lock);
    if (err) {
        return err;
    }
    struct ram_lease lease = {.fd = -1, .info = record.info};
    int opened = open_record(store, &record, &lease.fd, msg);
    os_monitor_enter(store->lock);
    err = hold_record(store, &record, &lease.hold);
    if (!err && opened) {
        end_hold(store, &lease);
    }
    os_monitor_leave(store->lock);
    if (err || opened) {
        os_file_close(lease.fd);
        return err ? err : opened;
    }
    *ret_lease = lease;
    return 0;
}

int ram_load(struct store *store, const struct id *id, struct ram_lease *ret_lease, struct msg *msg)
{
    int err = ERR_CONFLICT;
    for (int i = 0; i < LOAD_TRIES_MAX && err == ERR_CONFLICT; i++) {
        err = try_load(store, id, ret_lease, msg);
    }
    char label[LABEL_SIZE];
    label_of_id(id, label);
    return err != ERR_CONFLICT
               ? err
               : fail(msg, ERR_BUSY, "session %s changed %d times while it was being read", label,
                      LOAD_TRIES_MAX);
}

void ram_release(struct store *store, struct ram_lease *lease)
{
    os_file_close(lease->fd);
    lease->fd = -1;
    if (lease->hold) {
        os_monitor_enter(store->lock);
        end_hold(store, lease);
        os_monitor_leave(store->lock);
        lease->hold = NULL;
    }
}

/* Makes `record` durable and current; its RAM file is written and synced. ret_stands: the outcome
 * is open or done, so that the RAM file must stay. */
static int write_meta(struct store *store, const struct ram_record *record, bool *ret_stands)
{
    char name[NAME_MAX_SIZE], temporary[NAME_MAX_SIZE];
    name_of_id(&record->info.id, ".meta", name);
    name_of_id(&record->info.id, ".tmp", temporary);
    struct buf text;
    buf_init(&text, RECORD_BYTES_MAX);
    ram_record_write(record, &text);
    struct ram_record again;
    int err = text.failed ? ERR_NO_MEMORY : ram_record_read(buf_span(&text), &again, NULL);
    if (err == 0) {
        err = write_small(store->ram_dir, temporary, buf_span(&text));
    } else if (err == ERR_CORRUPT) {
        err = ERR_ARGUMENT; /* what the caller gave (an id) could not be read back */
    }
    buf_deinit(&text);
    if (err) {
        return err;
    }
    /* The name of the RAM file must be durable before anything durable mentions it. */
    err = sync_dir(store, store->ram_dir);
    if (err == 0) {
        err = os_name_rename(store->ram_dir, temporary, name);
    }
    if (err) {
        drop_file(store->ram_dir, temporary);
        return err;
    }
    *ret_stands = true;
    return sync_dir(store, store->ram_dir);
}

/* Writes the RAM file and the meta of the session's next version. The session is the caller's
 * claim, so its record is read without the lock. */
static int write_version(struct store *store, const struct delta *delta, struct ram_record *record,
                         struct msg *msg)
{
    char name[NAME_MAX_SIZE], label[LABEL_SIZE];
    name_of_ram(&record->info.id, record->file, name);
    label_of_id(&record->info.id, label);
    int fd;
    int err = make_file(store->ram_dir, name, &fd);
    if (err) {
        return io_fail(msg, err, "cannot make the RAM file of session", label);
    }
    bool stands = false;
    err = delta_write(delta, fd, &record->info.size);
    os_file_close(fd);
    if (err == ERR_ARGUMENT) {
        err = fail(msg, err, "session %s: there are fewer bytes than were announced", label);
    } else if (err) {
        err = io_fail(msg, err, "cannot write the RAM of session", label);
    } else {
        err = write_meta(store, record, &stands);
        err = err ? io_fail(msg, err, "cannot commit session", label) : 0;
    }
    if (err && !stands) {
        drop_file(store->ram_dir, name);
    }
    return err;
}

/* The record that follows, but for its size. */
static int next_record(const struct session *session, const struct id *id, uint64_t now_ms,
                       struct ram_record *ret_record)
{
    bool is_fresh = !session->slot.exists || session->slot.is_corrupt;
    struct ram_record record = session->record;
    if (is_fresh) {
        record = (struct ram_record){
            .info = {.id = *id, .created_ms = now_ms},
            .file = session->record.file, /* of a corrupt one: the highest that was found */
        };
        int err = os_random(&record.info.version.stamp, sizeof record.info.version.stamp);
        if (err) {
            return err;
        }
    }
    record.info.version.count++;
    record.file++;
    record.info.used_ms = now_ms;
    *ret_record = record;
    return 0;
}

/* What a commit or put asks of the version that is there. */
enum wants { WANTS_NOTHING, WANTS_ANY, WANTS_VERSION };

/* Claims the session if it is as wanted. */
static int claim_session(struct store *store, const struct id *id, enum wants wants,
                         const struct version *version, struct session **ret_session)
{
    uint8_t key[KEY_SIZE];
    key_of_id(id, key);
    struct slot *slot;
    os_monitor_enter(store->lock);
    int err = table_claim(&store->sessions, store->lock, key, wants != WANTS_VERSION, &slot);
    if (err == 0) {
        struct session *session = (struct session *)slot;
        bool is_same = wants == WANTS_VERSION && !slot->is_corrupt &&
                       version_equals(&session->record.info.version, version);
        if (wants == WANTS_ANY || is_same || (wants == WANTS_NOTHING && !slot->exists)) {
            *ret_session = session;
        } else {
            err = slot->is_corrupt ? ERR_CORRUPT : ERR_CONFLICT;
            table_unclaim(&store->sessions, store->lock, slot);
        }
    }
    os_monitor_leave(store->lock);
    return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
}

static int claim_fail(const struct store *store, const struct id *id, int err, struct msg *msg)
{
    char label[LABEL_SIZE];
    label_of_id(id, label);
    switch (err) {
    case ERR_QUOTA:
        return fail(msg, err, "the store has %u sessions, which is its limit", store->sessions.max);
    case ERR_CONFLICT:
        return fail(msg, err, "session %s was changed, made or removed meanwhile", label);
    default:
        return fail(msg, err, "session %s: %s", label, err_text(err));
    }
}

static void unclaim_session(struct store *store, struct session *session)
{
    os_monitor_enter(store->lock);
    table_unclaim(&store->sessions, store->lock, &session->slot);
    os_monitor_leave(store->lock);
}

/* Shows the new version to readers, then deletes the old file while the claim still keeps others
 * from making one of that name. Readers that have it open keep it. */
static void adopt_record(struct store *store, struct session *session,
                         const struct ram_record *record)
{
    char name[NAME_MAX_SIZE];
    bool is_replaced = session->slot.exists;
    name_of_ram(&record->info.id, session->record.file, name);
    os_monitor_enter(store->lock);
    let_go(store, session);
    session->record = *record;
    session->slot.exists = true;
    session->slot.is_corrupt = false;
    os_monitor_leave(store->lock);
    if (is_replaced) {
        drop_file(store->ram_dir, name);
    }
}

/* Ends a claim with a new version, or without one. */
static int finish_write(struct store *store, struct session *session, const struct delta *delta,
                        struct ram_record *record, struct msg *msg)
{
    int err = write_version(store, delta, record, msg);
    if (err == 0) {
        adopt_record(store, session, record);
    }
    unclaim_session(store, session);
    return err;
}

int ram_commit(struct store *store, const struct ram_commit *commit, struct ram_info *ret_info,
               struct msg *msg)
{
    const struct ram_lease *base = commit->base;
    check(!base || id_equals(&base->info.id, &commit->id));
    int err = check_room(store, msg);
    if (err) {
        return err;
    }
    struct session *session;
    err = claim_session(store, &commit->id, base ? WANTS_VERSION : WANTS_NOTHING,
                        base ? &base->info.version : NULL, &session);
    if (err) {
        return claim_fail(store, &commit->id, err, msg);
    }
    struct ram_record record;
    err = next_record(session, &commit->id, commit->now_ms, &record);
    if (err) {
        unclaim_session(store, session);
        return io_fail(msg, err, "no random bytes for session", "");
    }
    record.info.rom = commit->rom;
    record.info.has_rom = true;
    const struct delta delta = {
        .base_fd = base ? base->fd : -1,
        .base_size = base ? base->info.size : 0,
        .pages_fd = commit->pages_fd,
        .pages_size = (uint64_t)commit->pages_count * PAGE_SIZE,
        .dirty = commit->dirty,
    };
    check(commit->dirty || commit->pages_count == 0);
    err = finish_write(store, session, &delta, &record, msg);
    if (err == 0) {
        *ret_info = record.info;
    }
    return err;
}

int ram_put(struct store *store, const struct ram_put *put, struct ram_info *ret_info,
            struct msg *msg)
{
    if (put->size > OBJECT_BYTES_MAX) {
        return fail(msg, ERR_TOO_BIG, "a RAM image of %llu bytes, the most is %llu",
                    (unsigned long long)put->size, (unsigned long long)OBJECT_BYTES_MAX);
    }
    int err = check_room(store, msg);
    if (err) {
        return err;
    }
    struct session *session;
    err = claim_session(store, &put->id, put->expected ? WANTS_VERSION : WANTS_ANY, put->expected,
                        &session);
    if (err) {
        return claim_fail(store, &put->id, err, msg);
    }
    bool is_new = !session->slot.exists;
    struct ram_record record;
    err = next_record(session, &put->id, put->now_ms, &record);
    if (err) {
        unclaim_session(store, session);
        return io_fail(msg, err, "no random bytes for session", "");
    }
    const struct delta delta = {.base_fd = -1, .pages_fd = put->fd, .pages_size = put->size};
    err = finish_write(store, session, &delta, &record, msg);
    if (err) {
        return err;
    }
    *ret_info = record.info;
    return is_new;
}

/* The meta's durable end is the session's; then nobody finds it any more, and only then its RAM
 * file goes, so that no reader looks for what is not there. */
static int remove_files(struct store *store, struct session *session, const struct id *id)
{
    char name[NAME_MAX_SIZE];
    name_of_id(id, ".meta", name);
    int err = os_name_remove(store->ram_dir, name);
    if (err && err != ERR_NOT_FOUND) {
        return err;
    }
    err = sync_dir(store, store->ram_dir);
    if (err) {
        return err;
    }
    os_monitor_enter(store->lock);
    let_go(store, session);
    session->slot.exists = false;
    os_monitor_leave(store->lock);
    name_of_ram(id, session->record.file, name);
    drop_file(store->ram_dir, name);
    return 0;
}

int ram_remove(struct store *store, const struct id *id, const struct version *expected,
               struct msg *msg)
{
    char label[LABEL_SIZE];
    uint8_t key[KEY_SIZE];
    label_of_id(id, label);
    key_of_id(id, key);
    int err = store_is_writable(store, msg);
    if (err) {
        return err;
    }
    struct slot *slot;
    os_monitor_enter(store->lock);
    err = table_claim(&store->sessions, store->lock, key, false, &slot);
    os_monitor_leave(store->lock);
    if (err) {
        return fail(msg, err, "there is no session %s", label);
    }
    struct session *session = (struct session *)slot;
    bool is_same =
        !slot->is_corrupt && expected && version_equals(&session->record.info.version, expected);
    if (expected && !is_same) {
        err = fail(msg, ERR_CONFLICT, "session %s is at another version", label);
    } else {
        err = remove_files(store, session, id);
        err = err ? io_fail(msg, err, "cannot remove session", label) : 0;
    }
    unclaim_session(store, session);
    return err;
}

static int compare_age(const void *a, const void *b)
{
    const struct ram_info *left = a;
    const struct ram_info *right = b;
    if (left->created_ms != right->created_ms) {
        return left->created_ms < right->created_ms ? -1 : 1;
    }
    return memcmp(&left->id, &right->id, sizeof left->id);
}

int ram_list(struct store *store, bool (*visit)(void *context, const struct ram_info *),
             void *context)
{
    os_monitor_enter(store->lock);
    const struct table *sessions = &store->sessions;
    struct ram_info *list = malloc((sessions->count + 1u) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; list && i < sessions->buckets_count; i++) {
        for (struct slot *slot = sessions->buckets[i]; slot; slot = slot->next) {
            if (slot->exists && !slot->is_corrupt) {
                list[count++] = ((struct session *)slot)->record.info;
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
