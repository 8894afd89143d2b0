/* given.h - files that a user names on a command line: opened, told apart, sized, read whole */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_given_open -> os_given_is_same, os_given_create (what is missing),
 * os_given_resize, os_given_read, os_given_write, os_map_file -> os_given_close. Opening changes
 * nothing, so that all files can be looked at first. Names the trouble in `msg` as the system has
 * it. */
#include "base/err.h"
#include "base/span.h"

enum os_given_mode {
    OS_GIVEN_READ,   /* must be there */
    OS_GIVEN_UPDATE, /* a regular file is opened read-write; anything else for reading */
    OS_GIVEN_OUTPUT, /* a regular file is opened read-write; anything else for writing */
    OS_GIVEN_TEXT,   /* opened for writing */
};

struct os_given {
    int fd;
    uint64_t size; /* 0 for what is not a regular file */
    uint64_t device;
    uint64_t inode;
    const char *name; /* borrowed; of a missing file, whose device and inode are its folder's */
    bool is_missing;  /* not READ, and there is no such file yet */
    bool is_regular;  /* only these can be mapped; the rest is pipes, sockets, devices */
    bool is_stored;   /* regular or a disk: bytes that a second user of it would disturb */
    bool is_new;      /* made by os_given_create */
};

/* Opens `path` (kept) and changes nothing: what is missing, where its folder is not, stays so and
 * is no failure unless the mode is READ. ERR_NOT_FOUND, ERR_BAD_FILE (a folder, no permission),
 * ERR_FULL, ERR_IO. */
MUST_CHECK int os_given_open(const char *path, enum os_given_mode mode, struct os_given *ret_given,
                             struct msg *msg);
/* Makes and opens a file that was missing, ERR_BAD_FILE where somebody else filled it meanwhile.
 * That two names of it are one can be seen only afterwards. */
MUST_CHECK int os_given_create(const char *path, enum os_given_mode mode, struct os_given *given,
                               struct msg *msg);
/* Takes a descriptor that is open already (standard input) without closing it ever. */
MUST_CHECK int os_given_adopt(int fd, struct os_given *ret_given, struct msg *msg);
/* Closes; a zeroed or closed one is accepted. */
void os_given_close(struct os_given *given);
/* The same regular file or disk, whatever the names, or the same name of a missing one. Terminals,
 * /dev/null, pipes and sockets may be given more than once. */
bool os_given_is_same(const struct os_given *a, const struct os_given *b);
/* Makes a regular file `size` bytes long: sparse zeros after its bytes, cut where it was longer. */
MUST_CHECK int os_given_resize(const struct os_given *given, uint64_t size, struct msg *msg);
/* The file's size as it is now. */
MUST_CHECK int os_given_size_now(const struct os_given *given, uint64_t *ret_size);
/* Reads to the end into `data`; ERR_TOO_BIG where more than `size` bytes come. */
MUST_CHECK int os_given_read(const struct os_given *given, uint8_t *data, size_t size,
                             size_t *ret_len, struct msg *msg);
/* Writes all of it. */
MUST_CHECK int os_given_write(const struct os_given *given, struct span data, struct msg *msg);
/* Takes away a file that this program has just created, at the end of whatever links. */
void os_given_remove(const char *path);
