/* command.c - terminal, other programs, small files */
/* SPDX-License-Identifier: MIT */
#include "os/command.h"

#include "os/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, PATH_SIZE = 4096 };

static int fail_errno(struct msg *msg, const char *path)
{
    int number = errno;
    return fail(msg, os_error(number), "%s: %s", path, strerror(number));
}

bool os_is_terminal(int fd)
{
    return isatty(fd);
}

unsigned os_terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

int os_exec(char *const argv[], struct msg *msg)
{
    signal(SIGXFSZ, SIG_DFL); /* os_begin */
    execvp(argv[0], argv);
    return fail_errno(msg, argv[0]);
}

static sigset_t held_signals(void)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    return held;
}

static NORETURN void become(char *const argv[], const sigset_t *mask)
{
    sigprocmask(SIG_SETMASK, mask, NULL);
    signal(SIGXFSZ, SIG_DFL); /* os_begin */
    execvp(argv[0], argv);
    _exit(EXIT_NOT_FOUND);
}

int os_run(char *const argv[], int *ret_status, struct msg *msg)
{
    sigset_t held = held_signals();
    sigset_t before;
    sigprocmask(SIG_BLOCK, &held, &before);
    pid_t child = fork();
    if (child == 0) {
        become(argv, &before);
    }
    if (child < 0) {
        return fail_errno(msg, argv[0]);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return fail_errno(msg, argv[0]);
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND) {
        return fail(msg, ERR_NOT_FOUND, "%s: cannot be run", argv[0]);
    }
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}

void os_run_release(void)
{
    sigset_t held = held_signals();
    sigprocmask(SIG_UNBLOCK, &held, NULL);
}

int os_own_folder(char *ret_path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", ret_path, size - 1);
    if (len <= 0 || (size_t)len >= size - 1) {
        return ERR_IO;
    }
    ret_path[len] = 0;
    char *slash = strrchr(ret_path, '/');
    if (!slash) {
        return ERR_IO;
    }
    *slash = 0;
    return 0;
}

bool os_is_on_path(const char *name)
{
    const char *path = getenv("PATH");
    struct stat own;
    struct stat found;
    if (!path || stat("/proc/self/exe", &own)) {
        return false;
    }
    for (;;) {
        char whole[PATH_SIZE];
        size_t len = strcspn(path, ":");
        int all = snprintf(whole, sizeof whole, "%.*s/%s", (int)len, len ? path : ".", name);
        if (all > 0 && (size_t)all < sizeof whole && access(whole, X_OK) == 0 &&
            os_is_file(whole)) {
            return stat(whole, &found) == 0 && found.st_dev == own.st_dev &&
                   found.st_ino == own.st_ino;
        }
        if (!path[len]) {
            return false;
        }
        path += len + 1;
    }
}

int os_temporary_file(const char *suffix, char *ret_path, size_t size, struct msg *msg)
{
    const char *folder = getenv("TMPDIR");
    int len =
        snprintf(ret_path, size, "%s/mote-XXXXXX%s", folder && *folder ? folder : "/tmp", suffix);
    if (len < 0 || (size_t)len >= size) {
        return fail(msg, ERR_TOO_BIG, "$TMPDIR is longer than %zu bytes", size);
    }
    int fd = mkstemps(ret_path, (int)strlen(suffix));
    if (fd < 0) {
        return fail_errno(msg, ret_path);
    }
    close(fd);
    return 0;
}

static bool has_mode(const char *path, mode_t mode)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == mode;
}

bool os_is_folder(const char *path)
{
    return has_mode(path, S_IFDIR);
}

bool os_is_file(const char *path)
{
    return has_mode(path, S_IFREG);
}

int os_make_folder(const char *path, struct msg *msg)
{
    return mkdir(path, 0777) && !os_is_folder(path) ? fail_errno(msg, path) : 0;
}

int os_make_new_folder(const char *path, struct msg *msg)
{
    return mkdir(path, 0777) ? fail_errno(msg, path) : 0;
}

void os_remove(const char *path)
{
    remove(path);
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

static int open_beside(struct os_replacement *r, mode_t mode, struct msg *msg)
{
    int len = snprintf(r->temporary, sizeof r->temporary, "%s.XXXXXX", r->path);
    if (len < 0 || (size_t)len >= sizeof r->temporary) {
        return fail(msg, ERR_TOO_BIG, "a path longer than %d bytes", PATH_SIZE);
    }
    r->fd = mkostemp(r->temporary, O_CLOEXEC);
    if (r->fd < 0) {
        return fail_errno(msg, r->path);
    }
    if (fchmod(r->fd, mode)) {
        int err = fail_errno(msg, r->path);
        close(r->fd);
        unlink(r->temporary);
        return err;
    }
    return 0;
}

int os_replace_begin(const char *path, struct os_replacement *r, struct msg *msg)
{
    struct stat st;
    char *real = realpath(path, NULL);
    bool is_there = stat(path, &st) == 0;
    int len = snprintf(r->path, sizeof r->path, "%s", real ? real : path);
    free(real);
    r->temporary[0] = 0;
    if (len < 0 || (size_t)len >= sizeof r->path) {
        return fail(msg, ERR_TOO_BIG, "a path longer than %d bytes", PATH_SIZE);
    }
    if (!is_there || S_ISREG(st.st_mode)) {
        return open_beside(r, is_there ? st.st_mode & 0777 : usual_mode(), msg);
    }
    r->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return r->fd < 0 ? fail_errno(msg, path) : 0;
}

int os_replace_end(struct os_replacement *r, bool is_whole, struct msg *msg)
{
    if (!r->temporary[0]) {
        return 0;
    }
    if (is_whole && rename(r->temporary, r->path) == 0) {
        return 0;
    }
    int err = is_whole ? fail_errno(msg, r->path) : 0;
    unlink(r->temporary);
    return err;
}

int os_replace_text(const char *path, struct span text, struct msg *msg)
{
    struct os_replacement r;
    int err = os_replace_begin(path, &r, msg);
    if (err) {
        return err;
    }
    int failed = r.temporary[0] ? fchmod(r.fd, 0600) : 0;
    failed |= write_text(r.fd, text);
    failed |= close(r.fd);
    err = failed ? fail_errno(msg, path) : 0;
    int ended = os_replace_end(&r, !failed, msg);
    return err ? err : ended;
}

static int visit_all(DIR *dir, const char *path,
                     int (*visit)(void *context, const char *name, bool is_folder), void *context)
{
    const struct dirent *entry;
    int result = 0;
    while (result == 0 && (entry = readdir(dir))) {
        char whole[PATH_SIZE];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        int len = snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof whole) {
            return ERR_TOO_BIG;
        }
        result = visit(context, entry->d_name, os_is_folder(whole));
    }
    return result;
}

int os_each_entry(const char *path, int (*visit)(void *context, const char *name, bool is_folder),
                  void *context, struct msg *msg)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return fail_errno(msg, path);
    }
    int result = visit_all(dir, path, visit, context);
    closedir(dir);
    return result;
}
