/* given.c - files that a user names: open(2), fstat(2), read(2), write(2) in words */
/* SPDX-License-Identifier: MIT */
#include "os/given.h"

#include "os/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FD_KEEP = 3 /* descriptors below are not ours to close */, PATH_SIZE = 4096 };

/* Most of what can be wrong is the file that the user named; but EBADF is a standard file that was
 * closed when we came (os_begin). */
static int error_of(int number)
{
    int err = os_error(number);
    bool is_the_files = err == ERR_DENIED || err == ERR_READ_ONLY || err == ERR_EXISTS ||
                        (err == ERR_IO && number != EIO && number != EBADF);
    return is_the_files ? ERR_BAD_FILE : err;
}

static int fail_errno(struct msg *msg)
{
    int number = errno;
    return fail(msg, error_of(number), "%s", strerror(number));
}

static int identify(int fd, struct os_given *ret_given, struct msg *msg)
{
    struct stat st;
    if (fstat(fd, &st)) {
        return fail_errno(msg);
    }
    if (S_ISDIR(st.st_mode)) {
        return fail(msg, ERR_BAD_FILE, "it is a folder");
    }
    bool is_regular = S_ISREG(st.st_mode);
    *ret_given = (struct os_given){
        .fd = fd,
        .size = is_regular ? (uint64_t)st.st_size : 0,
        .device = st.st_dev,
        .inode = st.st_ino,
        .is_regular = is_regular,
        .is_stored = is_regular || S_ISBLK(st.st_mode),
    };
    return 0;
}

/* A pipe opened read-write would never end, so the kind of file decides before it is opened. */
static int flags_for(const struct stat *st, enum os_given_mode mode)
{
    switch (mode) {
    case OS_GIVEN_READ:
        return O_RDONLY;
    case OS_GIVEN_UPDATE:
        return S_ISREG(st->st_mode) ? O_RDWR : O_RDONLY;
    case OS_GIVEN_OUTPUT:
        return S_ISREG(st->st_mode) ? O_RDWR : O_WRONLY;
    case OS_GIVEN_TEXT:
        break;
    }
    return O_WRONLY;
}

static int open_as(const char *path, int flags, struct os_given *ret_given, struct msg *msg)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0) {
        return fail_errno(msg);
    }
    int err = identify(fd, ret_given, msg);
    if (err) {
        close(fd);
    }
    return err;
}

/* A file that is not there yet is known by its folder and its name. */
static int look_up_folder(const char *path, struct os_given *ret_given, struct msg *msg)
{
    char folder[PATH_SIZE];
    struct stat st;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int len = slash ? snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path)
                    : snprintf(folder, sizeof folder, ".");
    if (len < 0 || (size_t)len >= sizeof folder) {
        errno = ENAMETOOLONG;
        return fail_errno(msg);
    }
    if (stat(folder, &st)) {
        return fail_errno(msg);
    }
    *ret_given = (struct os_given){
        .fd = -1,
        .device = st.st_dev,
        .inode = st.st_ino,
        .name = name,
        .is_missing = true,
    };
    return *name ? 0 : fail(msg, ERR_BAD_FILE, "it is a folder");
}

int os_given_open(const char *path, enum os_given_mode mode, struct os_given *ret_given,
                  struct msg *msg)
{
    struct stat st = {.st_mode = S_IFREG};
    if (mode != OS_GIVEN_READ && stat(path, &st)) {
        return errno == ENOENT && *path ? look_up_folder(path, ret_given, msg) : fail_errno(msg);
    }
    return open_as(path, flags_for(&st, mode), ret_given, msg);
}

int os_given_create(const char *path, enum os_given_mode mode, struct os_given *given,
                    struct msg *msg)
{
    struct os_given made;
    int err = open_as(path, O_CREAT | (mode == OS_GIVEN_TEXT ? O_WRONLY : O_RDWR), &made, msg);
    if (err) {
        return err;
    }
    if (!made.is_regular || made.size > 0) {
        close(made.fd);
        return fail(msg, ERR_BAD_FILE, "somebody else made it just now");
    }
    made.is_new = true;
    *given = made;
    return 0;
}

int os_given_adopt(int fd, struct os_given *ret_given, struct msg *msg)
{
    return identify(fd, ret_given, msg);
}

void os_given_close(struct os_given *given)
{
    if (given->fd >= FD_KEEP) {
        close(given->fd);
    }
    given->fd = 0;
}

bool os_given_is_same(const struct os_given *a, const struct os_given *b)
{
    if (a->device != b->device || a->inode != b->inode || a->is_missing != b->is_missing) {
        return false;
    }
    return a->is_missing ? strcmp(a->name, b->name) == 0 : a->is_stored;
}

int os_given_resize(const struct os_given *given, uint64_t size, struct msg *msg)
{
    return ftruncate(given->fd, (off_t)size) ? fail_errno(msg) : 0;
}

int os_given_size_now(const struct os_given *given, uint64_t *ret_size)
{
    struct stat st;
    if (fstat(given->fd, &st)) {
        return ERR_IO;
    }
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

int os_given_read(const struct os_given *given, uint8_t *data, size_t size, size_t *ret_len,
                  struct msg *msg)
{
    size_t len = 0;
    uint8_t beyond;
    for (;;) {
        bool is_full = len == size;
        ssize_t n = read(given->fd, is_full ? &beyond : data + len, is_full ? 1 : size - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(msg);
        }
        if (n == 0) {
            *ret_len = len;
            return 0;
        }
        if (is_full) {
            return fail(msg, ERR_TOO_BIG, "it has more than %zu bytes", size);
        }
        len += (size_t)n;
    }
}

int os_given_write(const struct os_given *given, struct span data, struct msg *msg)
{
    while (data.len) {
        ssize_t n = write(given->fd, data.data, data.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(msg);
        }
        data = span_of(data.data + n, data.len - (size_t)n);
    }
    return 0;
}

void os_given_remove(const char *path)
{
    char *real = realpath(path, NULL);
    if (real) {
        unlink(real);
    }
    free(real);
}
