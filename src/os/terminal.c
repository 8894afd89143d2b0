/* terminal.c - a terminal typed into, over termios(3), poll(2) and signalfd(2) */
/* SPDX-License-Identifier: MIT */
#include "os/terminal.h"

#include "os/error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static void ending_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGINT);
    sigaddset(ret_set, SIGTERM);
    sigaddset(ret_set, SIGHUP);
    sigaddset(ret_set, SIGQUIT);
}

/* Output is left as it is, so that a line feed still starts a line. */
static int make_raw(struct os_terminal *t)
{
    struct termios now;
    if (!isatty(t->fd)) {
        return 0;
    }
    struct termios *saved = malloc(sizeof *saved);
    if (!saved || tcgetattr(t->fd, saved)) {
        int err = saved ? os_error(errno) : ERR_NO_MEMORY;
        free(saved);
        return err;
    }
    now = *saved;
    now.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
    now.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    if (tcsetattr(t->fd, TCSANOW, &now)) {
        int err = os_error(errno);
        free(saved);
        return err;
    }
    t->saved = saved;
    return 0;
}

int os_terminal_open(int fd, struct os_terminal *ret_terminal, struct msg *msg)
{
    sigset_t set;
    ending_signals(&set);
    struct os_terminal t = {.fd = fd, .signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (t.signals < 0) {
        return os_fail(msg, os_error(errno), "waiting for signals failed");
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    int err = make_raw(&t);
    if (err) {
        os_terminal_close(&t);
        return os_fail(msg, err, "the terminal cannot be set up");
    }
    *ret_terminal = t;
    return 0;
}

static int poll_both(struct os_terminal *t, uint64_t wait_ns, bool is_read)
{
    struct pollfd fds[] = {{.fd = t->signals, .events = POLLIN},
                           {.fd = is_read ? t->fd : -1, .events = POLLIN}};
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                            .tv_nsec = (long)(wait_ns % 1000000000u)};
    int ready = ppoll(fds, 2, wait_ns == ~0ull ? NULL : &wait, NULL);
    struct signalfd_siginfo info;
    if (ready > 0 && fds[0].revents && read(t->signals, &info, sizeof info) == sizeof info) {
        t->signal = (int)info.ssi_signo;
        return ERR_CLOSED;
    }
    return ready > 0 && fds[1].revents ? 1 : 0;
}

int os_terminal_read(struct os_terminal *t, uint64_t wait_ns, void *bytes, size_t size)
{
    int ready = t->signal ? ERR_CLOSED : poll_both(t, wait_ns, size > 0);
    if (ready <= 0) {
        return ready;
    }
    ssize_t got = read(t->fd, bytes, size);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return 0;
    }
    return got > 0 ? (int)got : ERR_CLOSED;
}

void os_terminal_restore(struct os_terminal *t)
{
    if (t->saved) {
        tcsetattr(t->fd, TCSADRAIN, t->saved);
        free(t->saved);
        t->saved = NULL;
    }
}

void os_terminal_close(struct os_terminal *t)
{
    os_terminal_restore(t);
    if (t->signals >= 0) {
        sigset_t set;
        ending_signals(&set);
        close(t->signals);
        t->signals = -1;
        if (t->signal) {
            raise(t->signal);
        }
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
}
