/* replace_test.c - a file takes another's place whole, or nothing of it is left */
/* SPDX-License-Identifier: MIT */
#include "os/replace.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_tmpfile; /* whether this test's file system has nameless files */

static int open_wrapped(const char *path, int flags, mode_t mode)
{
    if (!has_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_wrapped(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_wrapped(path, flags, mode);
}

struct place {
    char folder[40];
    char path[60];
};

static void make_place(struct place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/replace_test.XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/file", p->folder);
}

static size_t count_names(const struct place *p)
{
    DIR *dir = opendir(p->folder);
    size_t count = 0;
    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count - 2; /* . and .. */
}

static void expect_text(const struct place *p, const char *wanted)
{
    char text[40] = "";
    FILE *file = fopen(p->path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(wanted));
    fclose(file);
    assert_string_equal(text, wanted);
    assert_int_equal(count_names(p), 1);
}

static void remove_place(struct place *p)
{
    unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0);
}

static void replace(const struct place *p, const char *text, bool is_whole)
{
    struct os_replacement r;
    struct msg msg = {{0}};
    assert_int_equal(os_replace_begin(p->path, &r, &msg), 0);
    assert_int_equal(r.is_memory, !has_tmpfile);
    assert_int_equal(write(r.fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(r.fd), 0);
    assert_int_equal(os_replace_end(&r, is_whole, &msg), 0);
}

static void check_whole_or_not(void)
{
    struct place p;
    struct stat st;
    make_place(&p);
    replace(&p, "none", false);
    assert_int_equal(count_names(&p), 0);
    replace(&p, "first", true);
    expect_text(&p, "first");
    assert_int_equal(chmod(p.path, 0640), 0);
    replace(&p, "half", false);
    expect_text(&p, "first");
    replace(&p, "2nd", true);
    expect_text(&p, "2nd");
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    remove_place(&p);
}

TEST(replace, puts_all_in_place_or_nothing)
{
    has_tmpfile = true;
    check_whole_or_not();
}

TEST(replace, does_so_where_there_are_no_nameless_files)
{
    has_tmpfile = false;
    check_whole_or_not();
}

/* A process that is ended by `number` between its write and its end leaves nothing. */
static void end_by(const struct place *p, int number)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct os_replacement r;
        if (os_replace_begin(p->path, &r, NULL) == 0 && write(r.fd, "half", 4) == 4) {
            raise(number);
        }
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
}

TEST(replace, leaves_nothing_when_its_process_is_ended)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGKILL};
    for (size_t i = 0; i < 2 * sizeof numbers / sizeof numbers[0]; i++) {
        struct place p;
        has_tmpfile = i % 2;
        make_place(&p);
        replace(&p, "kept", true);
        end_by(&p, numbers[i / 2]);
        expect_text(&p, "kept");
        remove_place(&p);
    }
}

TEST(replace, says_which_folder_is_missing)
{
    struct os_replacement r;
    struct msg msg = {{0}};
    has_tmpfile = true;
    assert_int_equal(os_replace_begin("/nowhere/to/be/found", &r, &msg), ERR_NOT_FOUND);
    assert_string_equal(msg.text, "/nowhere/to/be/found: No such file or directory");
}

TEST(replace, text_is_its_owners_only)
{
    struct place p;
    struct stat st;
    struct msg msg = {{0}};
    has_tmpfile = true;
    make_place(&p);
    assert_int_equal(os_replace_text(p.path, span_of_string("secret"), &msg), 0);
    expect_text(&p, "secret");
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    remove_place(&p);
}
