/* terminal.h - a terminal typed into byte by byte, put back as it was however the program ends */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_terminal_open -> os_terminal_read ... -> os_terminal_restore -> os_terminal_close.
 * In between, the signals that would end the program end the reading instead, so that there is
 * time to put the terminal back; os_terminal_close then lets them do it. One that would stop the
 * program does so with the terminal put back until it goes on. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_terminal {
    int fd;      /* borrowed */
    int signals; /* descriptor that says which have come; -1: closed */
    int signal;  /* that has come, 0 for none */
    void *saved; /* how the terminal was, owned; NULL for what is none */
};

/* Reads `fd` from now on, a terminal without echo, lines and signals by keys, or anything else as
 * it is. On failure nothing has changed. */
MUST_CHECK int os_terminal_open(int fd, struct os_terminal *ret_terminal, struct msg *msg);
/* Waits at most `wait_ns` (~0: however long it takes) and reads what is there, up to `size` bytes;
 * their number, 0 for none in that time. ERR_CLOSED: no more will come, or a signal has. With size
 * 0 nothing is read, and the wait is for a signal. */
MUST_CHECK int os_terminal_read(struct os_terminal *terminal, uint64_t wait_ns, void *bytes,
                                size_t size);
/* Puts the terminal back; more than once does nothing. */
void os_terminal_restore(struct os_terminal *terminal);
/* And lets the signal that has come end the program. */
void os_terminal_close(struct os_terminal *terminal);
