/* internal.h - what the files of the directory store share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "os/error.h"
#include "os/file.h"
#include "store/hash.h"
#include "store/record.h"
#include "store/store.h"
#include "store/table.h"

enum {
    NAME_MAX_SIZE = 96, /* of a file: a SHA-256 or an id, and a suffix */
    LABEL_SIZE = 16,    /* of an id in messages: its first eight digits */
};

struct rom {
    struct slot slot;
    struct rom_info info;
};

/* Bytes under their hash; the slot exists while the file does. It is deleted when names and leases
 * are both 0: a name is counted from its durable writing until its durable removal. */
struct blob {
    struct slot slot;
    uint32_t names;
    uint32_t leases;
    uint64_t held_bytes; /* what of the store's held_bytes is for it */
};

/* What the leases of one version of a session share; freed with the last of them. */
struct hold {
    uint32_t leases;
    bool is_deleted; /* its file has no name any more: its bytes are in the store's held_bytes */
};

struct session {
    struct slot slot;
    struct ram_record record;
    struct hold *hold; /* NULL while nobody leases this version */
};

struct store {
    struct os_monitor *lock; /* guards the tables and `broken`; never held over input or output */
    struct table roms;       /* struct rom by id */
    struct table blobs;      /* struct blob by SHA-256 */
    struct table sessions;   /* struct session by id */
    struct msg broken;       /* why nothing is written any more; empty while all is well */
    struct msg path;         /* for messages */
    uint64_t held_bytes;     /* of deleted ROMs and versions that leases keep; under the lock */
    uint64_t held_bytes_max;
    int dir; /* these four are owned, -1 before they are open, and never change */
    int rom_dir;
    int blob_dir;
    int ram_dir;
};

/* ---- names */
void key_of_id(const struct id *id, uint8_t ret_key[KEY_SIZE]);
/* Ids are secrets where there are no tokens, so messages show eight digits. */
void label_of_id(const struct id *id, char ret_label[LABEL_SIZE]);
/* Writes the id and `suffix` (".meta", ".tmp" or none). */
void name_of_id(const struct id *id, const char *suffix, char ret_name[NAME_MAX_SIZE]);
void name_of_ram(const struct id *id, uint64_t file, char ret_name[NAME_MAX_SIZE]);
void name_of_blob(const uint8_t sha256[SHA256_SIZE], const char *suffix,
                  char ret_name[NAME_MAX_SIZE]);

/* ---- steps of a durable write */
/* store_is_writable, and ERR_FULL while leases hold too much: before anything that writes bytes. */
MUST_CHECK int check_room(struct store *store, struct msg *msg);
/* `err` of an os call, in words: what was done to which thing, and the system's reason. */
int io_fail(struct msg *msg, int err, const char *deed, const char *label);
/* Syncs a directory; after a failure the store writes no more. */
MUST_CHECK int sync_dir(struct store *store, int dir);
/* Makes a file anew, in the place of a leftover of that name. */
MUST_CHECK int make_file(int dir, const char *name, int *ret_fd);
/* Makes a small file, bytes and all, and syncs it; leaves none on failure. */
MUST_CHECK int write_small(int dir, const char *name, struct span bytes);
/* Deletes a file that nothing names, so that it does not matter whether that works. */
void drop_file(int dir, const char *name);
/* With the lock held. */
bool is_broken(const struct store *store);

/* ---- for store_open, before other threads are there */
MUST_CHECK int recover_store(struct store *store, struct store_report *report, struct msg *msg);
/* With the lock held: deletes the blob's file once neither names nor leases are left. The lock is
 * let go meanwhile. */
void blob_collect(struct store *store, struct blob *blob);

/* ---- a RAM image made of a base and pages over it */
struct delta {
    int base_fd; /* -1: none, all zeros */
    uint64_t base_size;
    int pages_fd;         /* pages at their own offsets; each byte is read once */
    uint64_t pages_size;  /* bytes that it must have where a page is dirty */
    const uint8_t *dirty; /* one byte a page; NULL: all are */
};

/* Writes the image into an empty file, holes for zero pages, ending at the last non-zero byte, and
 * syncs it. ERR_ARGUMENT where pages_fd ends too early. */
MUST_CHECK int delta_write(const struct delta *delta, int out, uint64_t *ret_size);
