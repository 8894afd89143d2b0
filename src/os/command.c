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

int os_replace_text(const char *path, struct span text, struct msg *msg)
{
    char temporary[PATH_SIZE];
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temporary) {
        return fail(msg, ERR_TOO_BIG, "a path longer than %d bytes", PATH_SIZE);
    }
    int fd = mkstemp(temporary);
    if (fd < 0) {
        return fail_errno(msg, path);
    }
    int failed = write_text(fd, text);
    failed |= close(fd);
    if (failed || rename(temporary, path)) {
        int err = fail_errno(msg, path);
        unlink(temporary);
        return err;
    }
    return 0;
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
