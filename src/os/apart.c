/* apart.c - a limited child over fork(2), whose words come through a pipe */
/* SPDX-License-Identifier: MIT */
#include "os/apart.h"

#include "os/error.h"
#include "os/process.h"
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Errors are negative and few: shifted, they fit into an exit status, where 0 is none. */
static NORETURN void end(int err)
{
    os_exit(err ? err - ERR_LAST : 0);
}

static NORETURN void work(const struct os_apart *apart, int fd, int parent)
{
    static const int deadly[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < ARRAY_COUNT(deadly); i++) {
        signal(deadly[i], SIG_DFL); /* os_bus_guard's would go on as if it were the parent */
    }
    os_die_with(parent);
    FILE *to = fdopen(fd, "w");
    int err = to ? os_limit(apart->seconds_max, apart->more_memory_max) : ERR_NO_MEMORY;
    err = err ? err : apart->work(apart->context, to);
    if (to && fflush(to) && !err) {
        err = ERR_IO;
    }
    end(err);
}

/* All that the child writes; what passes the buffer's maximum is read and dropped, so that the
 * child can end. */
static void take(int fd, struct buf *text)
{
    char bytes[1 << 14];
    ssize_t len;
    while ((len = read(fd, bytes, sizeof bytes)) != 0) {
        if (len > 0) {
            buf_put(text, bytes, (size_t)len);
        } else if (errno != EINTR) {
            text->failed = true;
            return;
        }
    }
}

static int outcome(int status, const struct buf *text, struct msg *msg)
{
    if (!WIFEXITED(status)) {
        return fail(msg, ERR_BAD_IMAGE, "reading it took too much time or memory, or failed (%s)",
                    strsignal(WTERMSIG(status)));
    }
    int err = WEXITSTATUS(status) ? WEXITSTATUS(status) + ERR_LAST : 0;
    if (err) {
        return fail(msg, err, "%.*s", (int)(text->len < 300 ? text->len : 300),
                    text->len ? (const char *)text->data : "");
    }
    return text->failed
               ? fail(msg, ERR_TOO_BIG, "what is to be written passes %zu bytes", text->max)
               : 0;
}

int os_apart(const struct os_apart *apart, struct buf *text, struct msg *msg)
{
    int ends[2];
    int parent = os_process_id();
    if (pipe2(ends, O_CLOEXEC)) {
        return os_fail(msg, os_error(errno), "a pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        work(apart, ends[1], parent);
    }
    int err = child < 0 ? os_fail(msg, os_error(errno), "another process") : 0;
    int status = 0;
    close(ends[1]);
    if (!err) {
        take(ends[0], text);
    }
    close(ends[0]);
    while (!err && waitpid(child, &status, 0) < 0) {
        err = errno == EINTR ? 0 : os_fail(msg, os_error(errno), "waiting for a process");
    }
    return err ? err : outcome(status, text, msg);
}
