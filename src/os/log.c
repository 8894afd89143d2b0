/* log.c - lines over poll(2) and write(2), or a non-blocking descriptor of our own */
/* SPDX-License-Identifier: MIT */
#include "os/log.h"

#include "base/check.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert((int)OS_LOG_LINE_MAX <= PIPE_BUF, "a pipe that is writable takes a whole line");

void os_log_open(struct os_log *log, int fd)
{
    *log = (struct os_log){.fd = fd};
    struct stat st;
    if (fstat(fd, &st)) {
        return;
    }
    log->is_socket = S_ISSOCK(st.st_mode);
    if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
        char path[40];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        log->is_own = own >= 0;
        log->fd = log->is_own ? own : fd;
    }
}

/* The poll is for a descriptor that is not ours. What a terminal takes of a line only in part is
 * not sent again. */
static bool put(const struct os_log *log, const void *data, size_t len)
{
    if (log->is_socket) {
        return send(log->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
    }
    struct pollfd one = {.fd = log->fd, .events = POLLOUT};
    return poll(&one, 1, 0) == 1 && write(log->fd, data, len) > 0;
}

/* How many lines are missing, in words; nothing where none is. */
static size_t write_note(const struct os_log *log, char *text, size_t size)
{
    if (log->dropped_count == 0) {
        return 0;
    }
    int len = snprintf(text, size, "mote: %llu lines of this log were dropped: nobody read\n",
                       (unsigned long long)log->dropped_count);
    return (size_t)len;
}

void os_log_line(struct os_log *log, struct span line)
{
    char text[OS_LOG_LINE_MAX];
    size_t at = write_note(log, text, sizeof text);
    size_t room = sizeof text - at - 1;
    size_t len = line.len < room ? line.len : room;
    memcpy(text + at, line.data, len);
    text[at + len] = '\n';
    bool is_put = put(log, text, at + len + 1);
    log->dropped_count = is_put ? 0 : log->dropped_count + 1;
}

void os_log_close(struct os_log *log)
{
    char text[OS_LOG_LINE_MAX];
    size_t len = write_note(log, text, sizeof text);
    UNUSED bool is_told = len == 0 || put(log, text, len);
    if (log->is_own) {
        close(log->fd);
    }
    *log = (struct os_log){0};
}
