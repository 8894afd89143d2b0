/* file.c - files and directories over openat(2), pread(2), fsync(2) and their kin */
/* SPDX-License-Identifier: MIT */
#include "os/file.h"

#include "os/error.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { COPY_BYTES = 65536, LOCK_STEP_MS = 20 };
static_assert((int)OS_DIR_CURRENT == AT_FDCWD, "os/file.h");

int os_file_open(int dir, const char *name, enum os_open how, int *ret_fd)
{
    static const int flags[] = {
        [OS_OPEN_READ] = O_RDONLY | O_NONBLOCK,
        [OS_OPEN_NEW] = O_RDWR | O_CREAT | O_EXCL,
    };
    int fd = openat(dir, name, flags[how] | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return os_error(errno);
    }
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        errno = EINVAL;
        return ERR_IO;
    }
    *ret_fd = fd;
    return 0;
}

void os_file_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

int os_file_size(int fd, uint64_t *ret_size)
{
    struct stat st;
    if (fstat(fd, &st)) {
        return os_error(errno);
    }
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

int os_file_read(int fd, void *bytes, size_t size, uint64_t at, size_t *ret_size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (char *)bytes + done, size - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR) {
            return os_error(errno);
        }
        if (n == 0) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    *ret_size = done;
    return 0;
}

int os_file_write_some(int fd, const void *bytes, size_t size, uint64_t at, size_t *ret_size)
{
    size_t done = 0;
    int err = 0;
    while (done < size && !err) {
        ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(at + done));
        err = n < 0 && errno != EINTR ? os_error(errno) : 0;
        done += n > 0 ? (size_t)n : 0;
    }
    *ret_size = done;
    return err;
}

int os_file_write(int fd, const void *bytes, size_t size, uint64_t at)
{
    size_t done;
    return os_file_write_some(fd, bytes, size, at, &done);
}

int os_file_truncate(int fd, uint64_t size)
{
    return ftruncate(fd, (off_t)size) ? os_error(errno) : 0;
}

int os_file_sync(int fd)
{
    return fsync(fd) ? os_error(errno) : 0;
}

/* For file systems between or on which the kernel does not copy. */
static int copy_by_hand(int from, int to, uint64_t at, uint64_t size)
{
    char bytes[COPY_BYTES];
    while (size > 0) {
        size_t part = size < sizeof bytes ? (size_t)size : sizeof bytes;
        size_t got;
        int err = os_file_read(from, bytes, part, at, &got);
        if (err == 0 && got < part) {
            errno = ENODATA;
            err = ERR_IO;
        }
        if (err == 0) {
            err = os_file_write(to, bytes, part, at);
        }
        if (err) {
            return err;
        }
        at += part;
        size -= part;
    }
    return 0;
}

int os_file_copy(int from, int to, uint64_t at, uint64_t size)
{
    off_t in = (off_t)at;
    off_t out = (off_t)at;
    while (size > 0) {
        ssize_t n = copy_file_range(from, &in, to, &out, size, 0);
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO)) {
            return os_error(errno);
        }
        if (n <= 0) {
            return copy_by_hand(from, to, (uint64_t)in, size);
        }
        size -= (uint64_t)n;
    }
    return 0;
}

int os_file_data(int fd, uint64_t at, bool *ret_found, uint64_t *ret_start, uint64_t *ret_end)
{
    off_t start = lseek(fd, (off_t)at, SEEK_DATA);
    if (start < 0 && errno == ENXIO) {
        *ret_found = false;
        return 0;
    }
    off_t end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);
    if (end < 0) {
        return os_error(errno);
    }
    *ret_found = true;
    *ret_start = (uint64_t)start;
    *ret_end = (uint64_t)end;
    return 0;
}

int os_file_lock(int fd, uint32_t wait_ms)
{
    for (uint32_t waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB); waited_ms += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK) {
            return os_error(errno);
        }
        if (waited_ms >= wait_ms) {
            return ERR_BUSY;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_MS * 1000000L}, NULL);
    }
    return 0;
}

int os_name_rename(int dir, const char *from, const char *to)
{
    return renameat(dir, from, dir, to) ? os_error(errno) : 0;
}

int os_name_remove(int dir, const char *name)
{
    return unlinkat(dir, name, 0) ? os_error(errno) : 0;
}

int os_dir_open(int dir, const char *path, bool make, int *ret_fd)
{
    if (make && mkdirat(dir, path, 0700) && errno != EEXIST) {
        return os_error(errno);
    }
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return os_error(errno);
    }
    *ret_fd = fd;
    return 0;
}

int os_dir_walk(int dir, int (*visit)(void *context, const char *name), void *context)
{
    /* A descriptor of its own, so that each walk starts at the first name. */
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *walk = fd < 0 ? NULL : fdopendir(fd);
    if (!walk) {
        int err = os_error(errno);
        os_file_close(fd);
        return err;
    }
    int err = 0;
    while (err >= 0) {
        errno = 0;
        struct dirent *entry = readdir(walk);
        if (!entry) {
            err = errno ? os_error(errno) : 0;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            err = visit(context, entry->d_name);
        }
    }
    closedir(walk);
    return err < 0 ? err : 0;
}
