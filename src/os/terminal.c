/* terminal.c - a terminal typed into, over termios(3), poll(2) and signalfd(2) */
/* SPDX-License-Identifier: MIT */
#include "os/terminal.h"

#include "base/check.h"
#include "os/error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* Every signal that ends a program or stops it, and that does not say that this one is broken. */
static void awaited_signals(sigset_t *ret_set)
{
    static const int numbers[] = {SIGINT,  SIGTERM,   SIGHUP,  SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1,
                                  SIGUSR2, SIGVTALRM, SIGPROF, SIGPOLL, SIGXCPU, SIGXFSZ, SIGTSTP};
    sigemptyset(ret_set);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        sigaddset(ret_set, numbers[i]);
    }
}

/* Output is left as it is, so that a line feed still starts a line. */
static int set_raw(struct os_terminal *t)
{
    struct termios raw = *(struct termios *)t->saved;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(t->fd, TCSANOW, &raw) ? os_error(errno) : 0;
}

static int make_raw(struct os_terminal *t)
{
    if (!isatty(t->fd)) {
        return 0;
    }
    t->saved = malloc(sizeof(struct termios));
    if (!t->saved) {
        return ERR_NO_MEMORY;
    }
    int err = tcgetattr(t->fd, t->saved) ? os_error(errno) : set_raw(t);
    if (err) {
        free(t->saved);
        t->saved = NULL;
    }
    return err;
}

int os_terminal_open(int fd, struct os_terminal *ret_terminal, struct msg *msg)
{
    sigset_t set;
    awaited_signals(&set);
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

/* Stops with the terminal as the shell had it, and takes it again when it goes on. */
static int stop(struct os_terminal *t)
{
    if (t->saved) {
        tcsetattr(t->fd, TCSADRAIN, t->saved);
    }
    raise(SIGSTOP);
    return t->saved ? set_raw(t) : 0;
}

static int take_signal(struct os_terminal *t)
{
    struct signalfd_siginfo info;
    if (read(t->signals, &info, sizeof info) != sizeof info) {
        return 0;
    }
    if (info.ssi_signo == SIGTSTP) {
        return stop(t);
    }
    t->signal = (int)info.ssi_signo;
    return ERR_CLOSED;
}

static int poll_both(struct os_terminal *t, uint64_t wait_ns, bool is_read)
{
    struct pollfd fds[] = {{.fd = t->signals, .events = POLLIN},
                           {.fd = is_read ? t->fd : -1, .events = POLLIN}};
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                            .tv_nsec = (long)(wait_ns % 1000000000u)};
    int ready = ppoll(fds, 2, wait_ns == ~0ull ? NULL : &wait, NULL);
    if (ready > 0 && fds[0].revents) {
        return take_signal(t);
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
        awaited_signals(&set);
        close(t->signals);
        t->signals = -1;
        if (t->signal) {
            raise(t->signal);
        }
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
}
