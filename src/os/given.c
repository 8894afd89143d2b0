/* given.c - files that a user names: open(2), fstat(2), read(2), write(2) in words */
/* SPDX-License-Identifier: MIT */
#include "os/given.h"

#include "os/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FD_KEEP = 3 /* descriptors below are not ours to close */ };

/* Most of what can be wrong is the file that the user named. */
static int error_of(int number)
{
    int err = os_error(number);
    bool is_the_files = err == ERR_DENIED || err == ERR_READ_ONLY || err == ERR_EXISTS ||
                        (err == ERR_IO && number != EIO);
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
        .is_device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode),
    };
    return 0;
}

/* A pipe opened read-write would never end, so the kind of file decides before it is opened. */
static int flags_for(const char *path, enum os_given_mode mode, bool *ret_is_new)
{
    struct stat st;
    *ret_is_new = false;
    if (mode == OS_GIVEN_READ) {
        return O_RDONLY;
    }
    if (stat(path, &st)) {
        *ret_is_new = true;
        return O_RDWR | O_CREAT;
    }
    if (S_ISREG(st.st_mode)) {
        return O_RDWR;
    }
    return mode == OS_GIVEN_OUTPUT ? O_WRONLY : O_RDONLY;
}

int os_given_open(const char *path, enum os_given_mode mode, struct os_given *ret_given,
                  struct msg *msg)
{
    bool is_new;
    int flags = flags_for(path, mode, &is_new);
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0) {
        return fail_errno(msg);
    }
    struct os_given given;
    int err = identify(fd, &given, msg);
    if (err) {
        close(fd);
        return err;
    }
    given.is_new = is_new;
    *ret_given = given;
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
    return !a->is_device && a->device == b->device && a->inode == b->inode;
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
    unlink(path);
}
