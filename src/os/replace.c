/* replace.c - nameless files, and how one gets a name */
/* SPDX-License-Identifier: MIT */
#include "os/replace.h"

#include "os/command.h"
#include "os/error.h"
#include "os/file.h"
#include "os/process.h"
#include "os/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = sizeof((struct os_replacement *)NULL)->path, NAMES_TRIED_MAX = 100 };

static int fail_errno(struct msg *msg, const char *path)
{
    int number = errno;
    return fail(msg, os_error(number), "%s: %s", path, strerror(number));
}

static int write_text(int fd, struct span text)
{
    while (text.len) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        size_t done = n < 0 ? 0 : (size_t)n;
        text = span_of(text.data + done, text.len - done);
    }
    return 0;
}

/* The mode that creating a file would give it. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* A nameless file in the folder of r->path, so that a name there is all that it lacks. */
static int open_nameless(struct os_replacement *r)
{
    char folder[PATH_SIZE];
    memcpy(folder, r->path, sizeof folder);
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = 0; /* the root keeps its slash */
    }
    int fd = open(slash ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    /* What kernels and file systems without O_TMPFILE say (open(2)). */
    r->is_memory = fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR);
    return r->is_memory ? memfd_create("replacement", MFD_CLOEXEC) : fd;
}

static int open_beside(struct os_replacement *r, mode_t mode, struct msg *msg)
{
    r->own_fd = open_nameless(r);
    if (r->own_fd < 0) {
        return fail_errno(msg, r->path);
    }
    int err = fchmod(r->own_fd, mode) ? os_error(errno) : os_duplicate(r->own_fd, &r->fd);
    if (err) {
        err = fail_errno(msg, r->path);
        close(r->own_fd);
    }
    return err;
}

int os_replace_begin(const char *path, struct os_replacement *r, struct msg *msg)
{
    struct stat st;
    char *real = realpath(path, NULL);
    bool is_there = stat(path, &st) == 0;
    int len = snprintf(r->path, sizeof r->path, "%s", real ? real : path);
    free(real);
    r->own_fd = -1;
    if (len < 0 || (size_t)len >= sizeof r->path) {
        return fail(msg, ERR_TOO_BIG, "a path longer than %d bytes", PATH_SIZE);
    }
    if (!is_there || S_ISREG(st.st_mode)) {
        return open_beside(r, is_there ? st.st_mode & 0777 : usual_mode(), msg);
    }
    r->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return r->fd < 0 ? fail_errno(msg, path) : 0;
}

/* Copies a file that is in memory only to a new one at `name`. */
static int copy_to_name(const struct os_replacement *r, const char *name)
{
    struct stat st;
    int err = fstat(r->own_fd, &st) ? os_error(errno) : 0;
    int fd = err ? -1 : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err ? err : os_error(errno);
    }
    err = fchmod(fd, st.st_mode & 0777) ? os_error(errno) : 0;
    err = err ? err : os_file_copy(r->own_fd, fd, 0, (uint64_t)st.st_size);
    int number = errno;
    if (close(fd) && !err) {
        number = errno;
        err = os_error(number);
    }
    if (err) {
        unlink(name);
    }
    errno = number;
    return err;
}

static int link_to_name(const struct os_replacement *r, const char *name)
{
    char own[40];
    snprintf(own, sizeof own, "/proc/self/fd/%d", r->own_fd);
    return linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW) ? os_error(errno) : 0;
}

/* Gives the file a name beside its place, which nobody has. */
static int take_name(const struct os_replacement *r, char *ret_name, size_t size, struct msg *msg)
{
    int err = ERR_EXISTS;
    for (int i = 0; i < NAMES_TRIED_MAX && err == ERR_EXISTS; i++) {
        uint32_t number;
        err = os_random(&number, sizeof number);
        int len = snprintf(ret_name, size, "%s.%08x", r->path, err ? 0 : number);
        if (len < 0 || (size_t)len >= size) {
            return fail(msg, ERR_TOO_BIG, "a path longer than %d bytes", PATH_SIZE);
        }
        err = err ? err : r->is_memory ? copy_to_name(r, ret_name) : link_to_name(r, ret_name);
    }
    return err ? os_fail(msg, err, r->path) : 0;
}

static int put_in_place(const struct os_replacement *r, struct msg *msg)
{
    char name[PATH_SIZE];
    int err = take_name(r, name, sizeof name, msg);
    if (!err && rename(name, r->path)) {
        err = fail_errno(msg, r->path);
        unlink(name);
    }
    return err;
}

int os_replace_end(struct os_replacement *r, bool is_whole, struct msg *msg)
{
    int err = 0;
    if (r->own_fd < 0) {
        return 0;
    }
    if (is_whole) {
        os_hold_signals();
        err = put_in_place(r, msg);
        os_release_signals();
    }
    close(r->own_fd);
    r->own_fd = -1;
    return err;
}

int os_replace_text(const char *path, struct span text, struct msg *msg)
{
    struct os_replacement r;
    int err = os_replace_begin(path, &r, msg);
    if (err) {
        return err;
    }
    int failed = r.own_fd >= 0 ? fchmod(r.fd, 0600) : 0;
    failed |= write_text(r.fd, text);
    failed |= close(r.fd);
    err = failed ? fail_errno(msg, path) : 0;
    int ended = os_replace_end(&r, !failed, msg);
    return err ? err : ended;
}
