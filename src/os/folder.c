/* folder.c - a walk over openat(2) by single names, none of which may be a link */
/* SPDX-License-Identifier: MIT */
#include "os/folder.h"

#include "os/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name cut into its parts. */
struct path {
    char text[OS_FOLDER_NAME_MAX + 1];
    const char *parts[OS_FOLDER_DEPTH_MAX];
    size_t count; /* at least 1 */
};

static int refuse(int number)
{
    errno = number;
    return os_error(number);
}

int os_folder_open(const char *path, bool is_writable, struct os_folder *ret_folder,
                   struct msg *msg)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        int err = errno == ENOENT ? ERR_NOT_FOUND : ERR_BAD_FILE;
        return fail(msg, err, "%s", errno == ENOTDIR ? "it is no folder" : strerror(errno));
    }
    *ret_folder = (struct os_folder){fd, is_writable};
    return 0;
}

void os_folder_close(struct os_folder *folder)
{
    close(folder->fd);
}

/* Opens the folder that the first `count` parts lead to. The descriptor is the caller's. */
static int open_parts(const struct os_folder *folder, const struct path *p, size_t count,
                      int *ret_fd)
{
    int fd = openat(folder->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < count; i++) {
        int next = openat(fd, p->parts[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int number = errno;
        close(fd);
        errno = number;
        fd = next;
    }
    if (fd < 0) {
        return os_error(errno);
    }
    *ret_fd = fd;
    return 0;
}

/* One part less. No part is a link, so this is what the system would find, which wants the part
 * that is left again to be a folder. */
static int drop_part(const struct os_folder *folder, struct path *p)
{
    int fd;
    if (p->count == 0) {
        return refuse(EACCES);
    }
    int err = open_parts(folder, p, p->count, &fd);
    if (err) {
        return err;
    }
    close(fd);
    p->count--;
    return 0;
}

static int add_part(const struct os_folder *folder, struct path *p, const char *part)
{
    if (part[0] == 0 || strcmp(part, ".") == 0) {
        return 0;
    }
    if (strcmp(part, "..") == 0) {
        return drop_part(folder, p);
    }
    if (p->count == OS_FOLDER_DEPTH_MAX) {
        return refuse(ENAMETOOLONG);
    }
    p->parts[p->count++] = part;
    return 0;
}

static int split(const struct os_folder *folder, struct span name, struct path *ret_path)
{
    if (name.len > OS_FOLDER_NAME_MAX) {
        return refuse(ENAMETOOLONG);
    }
    if (name.len == 0 || memchr(name.data, 0, name.len)) {
        return refuse(ENOENT);
    }
    if (name.data[0] == '/') {
        return refuse(EACCES);
    }
    memcpy(ret_path->text, name.data, name.len);
    ret_path->text[name.len] = 0;
    ret_path->count = 0;
    bool is_folder = true; /* by the name's look: `a/`, `a/.`, `a/..` */
    for (char *part = ret_path->text; part;) {
        char *slash = strchr(part, '/');
        if (slash) {
            *slash = 0;
        }
        is_folder = part[0] == 0 || strcmp(part, ".") == 0 || strcmp(part, "..") == 0;
        int err = add_part(folder, ret_path, part);
        if (err) {
            return err;
        }
        part = slash ? slash + 1 : NULL;
    }
    return is_folder ? refuse(EISDIR) : 0;
}

static int find(const struct os_folder *folder, struct span name, struct path *ret_path,
                int *ret_parent)
{
    int err = split(folder, name, ret_path);
    return err ? err : open_parts(folder, ret_path, ret_path->count - 1, ret_parent);
}

static const char *last_of(const struct path *p)
{
    return p->parts[p->count - 1];
}

static void close_quietly(int fd)
{
    int number = errno;
    close(fd);
    errno = number;
}

/* Opening a pipe or a device may do something by itself, so the kind is looked at first. */
static int check_kind(const struct stat *st)
{
    if (S_ISREG(st->st_mode)) {
        return 0;
    }
    return refuse(S_ISDIR(st->st_mode) ? EISDIR : S_ISLNK(st->st_mode) ? ELOOP : EACCES);
}

static int open_regular(int parent, const char *name, int flags, int *ret_fd)
{
    struct stat st;
    int err = fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) ? 0 : check_kind(&st);
    if (err) {
        return err;
    }
    int fd = openat(parent, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0) {
        return os_error(errno);
    }
    err = fstat(fd, &st) ? os_error(errno) : check_kind(&st); /* it may be another one by now */
    if (err) {
        close_quietly(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

int os_folder_file(const struct os_folder *folder, struct span name, unsigned access, int *ret_fd)
{
    struct path path;
    int parent;
    if ((access & ~(unsigned)OS_FOLDER_READ) != 0 && !folder->is_writable) {
        return refuse(EROFS);
    }
    int flags = (access & OS_FOLDER_WRITE) == 0  ? O_RDONLY
                : (access & OS_FOLDER_READ) == 0 ? O_WRONLY
                                                 : O_RDWR;
    flags |= (access & OS_FOLDER_CREATE ? O_CREAT : 0) | (access & OS_FOLDER_CUT ? O_TRUNC : 0) |
             (access & OS_FOLDER_APPEND ? O_APPEND : 0);
    int err = find(folder, name, &path, &parent);
    if (err) {
        return err;
    }
    err = open_regular(parent, last_of(&path), flags, ret_fd);
    close_quietly(parent);
    return err;
}

int os_folder_remove(const struct os_folder *folder, struct span name)
{
    struct path path;
    int parent;
    if (!folder->is_writable) {
        return refuse(EROFS);
    }
    int err = find(folder, name, &path, &parent);
    if (err) {
        return err;
    }
    err = unlinkat(parent, last_of(&path), 0) ? os_error(errno) : 0;
    close_quietly(parent);
    return err;
}

int os_folder_rename(const struct os_folder *folder, struct span from, struct span to)
{
    struct path from_path;
    struct path to_path;
    int from_parent;
    int to_parent;
    if (!folder->is_writable) {
        return refuse(EROFS);
    }
    int err = find(folder, from, &from_path, &from_parent);
    if (err) {
        return err;
    }
    err = find(folder, to, &to_path, &to_parent);
    if (!err) {
        err = renameat(from_parent, last_of(&from_path), to_parent, last_of(&to_path))
                  ? os_error(errno)
                  : 0;
        close_quietly(to_parent);
    }
    close_quietly(from_parent);
    return err;
}
