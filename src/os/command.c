/* command.c - terminal, signals, other programs, names of files */
/* SPDX-License-Identifier: MIT */
#include "os/command.h"

#include "os/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void mask_signals(int how)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(how, &held, NULL);
}

void os_hold_signals(void)
{
    mask_signals(SIG_BLOCK);
}

void os_release_signals(void)
{
    mask_signals(SIG_UNBLOCK);
}

static NORETURN void become(char *const argv[])
{
    os_release_signals();
    signal(SIGXFSZ, SIG_DFL); /* os_begin */
    execvp(argv[0], argv);
    _exit(EXIT_NOT_FOUND);
}

int os_run(char *const argv[], int *ret_status, struct msg *msg)
{
    pid_t child = fork();
    if (child == 0) {
        become(argv);
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

/* Nobody writes into the pipe: it ends with the process that holds its other end. */
static NORETURN void remove_behind(const char *path, const int alive[2])
{
    sigset_t all;
    char none;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    close(alive[1]);
    for (int fd = 0; fd <= 2; fd++) {
        close(fd); /* who reads them waits for no one but that process */
    }
    UNUSED ssize_t end = read(alive[0], &none, 1);
    remove(path);
    _exit(0);
}

int os_remove_at_end(const char *path, struct msg *msg)
{
    int alive[2];
    if (pipe2(alive, O_CLOEXEC)) {
        return fail_errno(msg, path);
    }
    pid_t child = fork();
    if (child == 0) {
        remove_behind(path, alive);
    }
    int err = child < 0 ? fail_errno(msg, path) : 0;
    close(alive[0]);
    if (err) {
        close(alive[1]);
    }
    return err;
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
