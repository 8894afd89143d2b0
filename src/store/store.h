/* store.h - ROMs and RAM sessions in a directory, where every acknowledged write is durable */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: store_open -> blob_put, ram_load, ram_commit ... -> give back every lease ->
 * store_close. One process has a directory at a time, by a lock that dies with it: a child that is
 * forked and does not exec must close its copy of the descriptors, or it keeps the lock.
 * Any thread may call any function. One mutex guards the tables and is never held over a read,
 * write or sync; a call that changes a ROM or session marks it, and others that want to change the
 * same one wait. Different ROMs and sessions never wait for each other.
 * A write that returned 0 survives kill -9 and a power cut; one that failed changed nothing. The
 * exception is a directory that cannot be synced: then the outcome shows at the next open, and
 * until then the store refuses to write (ERR_READ_ONLY; store_is_writable). Every function that
 * writes may also give ERR_FULL, ERR_READ_ONLY, ERR_IO, ERR_NO_MEMORY. The files:
 * docs/format-store.md. */
#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"

struct store;

struct store_options {
    const char *path;      /* the directory; made, with the last name of the path, if missing */
    uint32_t roms_max;     /* 0: DEFAULT_ROMS */
    uint32_t sessions_max; /* 0: DEFAULT_SESSIONS */
    /* Bytes on the disk that leases may keep of ROMs and sessions which were replaced or removed;
     * while there are more, what would write any is ERR_FULL. 0: DEFAULT_HELD_BYTES */
    uint64_t held_bytes_max;
};

/* What the directory held, for the log line at start. */
struct store_report {
    uint32_t roms_count;
    uint32_t sessions_count;
    uint32_t
        corrupt_count; /* of the above; each answers ERR_CORRUPT until it is put anew or removed */
    uint32_t dropped_count; /* leftovers of a crash that were deleted */
    char corrupt_name[64];  /* the first corrupt file, as `ram/0f0e0d0c*.meta`; else empty */
    struct msg corrupt_why; /* and what is wrong with it */
};

/* Opens (or makes) the directory, locks it, and deletes what an interrupted write left. ERR_BUSY
 * where another server has it, ERR_BAD_FILE for a newer format or a directory of other things.
 * `ret_report` may be NULL. Returns owned. */
MUST_CHECK int store_open(const struct store_options *options, struct store **ret_store,
                          struct store_report *ret_report, struct msg *msg);
/* Unlocks and frees; every lease must have been given back. Accepts NULL. */
void store_close(struct store *store);
/* 0, or ERR_READ_ONLY with the reason once a sync has failed (for /readyz). */
MUST_CHECK int store_is_writable(struct store *store, struct msg *msg);
/* A fresh random id for a ROM or session. */
MUST_CHECK int store_make_id(struct id *ret_id);

/* ---- ROMs */

enum { SHA256_SIZE = 32, FORMAT_WORD_SIZE = 16 };

struct rom_info {
    struct id id;
    uint8_t sha256[SHA256_SIZE]; /* of the bytes as uploaded: the ROM's ETag */
    uint64_t size;
    uint64_t created_ms;           /* when these bytes were put, by the wall clock */
    char format[FORMAT_WORD_SIZE]; /* the service's word: raw, elf, ... */
};

struct blob_put {
    struct id id;       /* a new one (store_make_id), or one to replace */
    int fd;             /* the bytes from offset 0 on; must not change during the call; not kept */
    uint64_t size;      /* ERR_ARGUMENT where the file is shorter */
    const char *format; /* 1 to 15 of a-z, 0-9 and '-' */
    uint64_t now_ms;
};

/* Stores the bytes under the id; the same bytes are stored once whatever number of ids name them.
 * 1: the id is new; 0: it named other bytes, which stay for those who hold a lease. ERR_QUOTA. */
MUST_CHECK int blob_put(struct store *store, const struct blob_put *put, struct rom_info *ret_rom,
                        struct msg *msg);

/* A ROM's bytes, held: they neither change nor go away until blob_release, whatever becomes of the
 * id. */
struct blob_lease {
    int fd; /* read-only, owned by the lease; may be passed on and mapped */
    struct rom_info rom;
};

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK int blob_get(struct store *store, const struct id *id, struct blob_lease *ret_lease,
                        struct msg *msg);
/* Closes the descriptor; the last one deletes bytes that no id names any more. */
void blob_release(struct store *store, struct blob_lease *lease);

/* Removes the id where `sha256` is NULL or still its bytes' hash (ERR_CONFLICT otherwise).
 * ERR_NOT_FOUND. */
MUST_CHECK int blob_remove(struct store *store, const struct id *id, const uint8_t *sha256,
                           struct msg *msg);
/* Calls `visit` for a snapshot of all sound ROMs, oldest first, until it returns false. */
MUST_CHECK int blob_list(struct store *store, bool (*visit)(void *context, const struct rom_info *),
                         void *context);

/* ---- RAM sessions */

/* Both halves are compared: an id made anew has another stamp and never passes for the old one. */
struct version {
    uint64_t stamp; /* random, of the session's creation */
    uint64_t count; /* of commits and puts since, from 1 */
};

enum { VERSION_TEXT_SIZE = 40 };

/* Writes the text of an ETag, without its quotes, and a NUL. */
void version_format(const struct version *version, char ret_text[VERSION_TEXT_SIZE]);

static inline bool version_equals(const struct version *a, const struct version *b)
{
    return a->stamp == b->stamp && a->count == b->count;
}

struct ram_info {
    struct id id;
    struct version version;
    uint64_t size; /* of the RAM image, trailing zeros cut; 0 is possible */
    struct id rom; /* that ran last; meaningless unless has_rom */
    bool has_rom;  /* false for a session that was only ever put */
    uint64_t created_ms;
    uint64_t used_ms; /* last commit or put */
};

/* A session's RAM as of one version, held: the file neither changes nor goes away until
 * ram_release, whatever becomes of the session. */
struct ram_lease {
    int fd; /* read-only, exactly info.size bytes long; owned by the lease; may be passed on */
    struct ram_info info;
    struct hold *hold; /* the store's */
};

/* The newest committed version. ERR_NOT_FOUND, ERR_CORRUPT, ERR_BUSY. */
MUST_CHECK int ram_load(struct store *store, const struct id *id, struct ram_lease *ret_lease,
                        struct msg *msg);
/* Closes the descriptor; accepts one that was given back, or none: fd -1 and the rest zero. */
void ram_release(struct store *store, struct ram_lease *lease);

struct ram_commit {
    struct id id;
    const struct ram_lease *base; /* what the run started from; NULL: makes a new session */
    struct id rom;                /* that ran */
    uint64_t now_ms;
    int pages_fd;         /* the dirty pages, each at its own offset; read once; -1 where none is */
    const uint8_t *dirty; /* one byte a page, non-zero for dirty; memory that no guest can write */
    uint32_t pages_count; /* bytes in `dirty`; pages of the base from there on are kept */
};

/* Makes base plus dirty pages the session's next version, all of it or nothing. ERR_CONFLICT where
 * the session is no longer at the base's version (or, without base, exists), ERR_QUOTA for a new
 * one too many, ERR_ARGUMENT where pages_fd lacks a dirty page. The base stays leased. */
MUST_CHECK int ram_commit(struct store *store, const struct ram_commit *commit,
                          struct ram_info *ret_info, struct msg *msg);

struct ram_put {
    struct id id;
    const struct version *expected; /* NULL: whatever is there, or nothing */
    int fd;                         /* the image from offset 0 on; not kept */
    uint64_t size;                  /* ERR_ARGUMENT where the file is shorter */
    uint64_t now_ms;
};

/* Sets the whole RAM image. 1: the session is new; 0: replaced, keeping its stamp and its ROM (a
 * corrupt one gets a new stamp). ERR_CONFLICT, ERR_QUOTA. */
MUST_CHECK int ram_put(struct store *store, const struct ram_put *put, struct ram_info *ret_info,
                       struct msg *msg);

/* Removes the session where `expected` is NULL or still its version (ERR_CONFLICT otherwise).
 * ERR_NOT_FOUND. */
MUST_CHECK int ram_remove(struct store *store, const struct id *id, const struct version *expected,
                          struct msg *msg);
/* Calls `visit` for a snapshot of all sound sessions, oldest first, until it returns false. */
MUST_CHECK int ram_list(struct store *store, bool (*visit)(void *context, const struct ram_info *),
                        void *context);
