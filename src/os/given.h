/* given.h - files that a user names on a command line: opened, told apart, sized, read whole */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_given_open -> os_given_is_same, os_given_resize, os_given_read, os_given_write,
 * os_map_file -> os_given_close. Names the trouble in `msg` as the system has it. */
#include "base/err.h"
#include "base/span.h"

enum os_given_mode {
    OS_GIVEN_READ,   /* must be there */
    OS_GIVEN_UPDATE, /* a regular file is opened read-write; anything else for reading */
    OS_GIVEN_OUTPUT, /* a regular file is opened read-write; anything else for writing */
};

struct os_given {
    int fd;
    uint64_t size; /* 0 for what is not a regular file */
    uint64_t device;
    uint64_t inode;
    bool is_regular; /* only these can be mapped; the rest is pipes, sockets, devices */
    bool is_device;  /* /dev/null and the like, which may be given more than once */
    bool is_new;     /* created by this call */
};

/* Opens `path`; UPDATE and OUTPUT create what is missing. ERR_NOT_FOUND, ERR_BAD_FILE (a folder,
 * no permission), ERR_FULL, ERR_IO. */
MUST_CHECK int os_given_open(const char *path, enum os_given_mode mode, struct os_given *ret_given,
                             struct msg *msg);
/* Takes a descriptor that is open already (standard input) without closing it ever. */
MUST_CHECK int os_given_adopt(int fd, struct os_given *ret_given, struct msg *msg);
/* Closes; a zeroed or closed one is accepted. */
void os_given_close(struct os_given *given);
/* The same regular file, pipe or socket, whatever the names. */
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
/* Takes away a name, for a file that this program has just created. */
void os_given_remove(const char *path);
