/* internal.h - what the files of the SDK's library share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "mote.h"

/* Where standard input and output stand. The library's own state: a guest is one program on one
 * hart, and stdin is global by the C standard. */
struct mote_streams {
    const unsigned char *in_at;  /* next byte to read */
    const unsigned char *in_end; /* where IN ends; equal to in_at until its length was asked for */
    size_t out_at;               /* where a seek put the next byte to write, or MOTE_AT_END */
};
extern struct mote_streams mote_streams;

/* Output goes on where OUT ends, and the lambda controller alone knows where that is: semihosting
 * appends there too. So it is asked before each piece and told after it, and nothing is held back.
 */
#define MOTE_AT_END SIZE_MAX

/* Bytes of IN from in_at on; brings in_end up to date. */
size_t mote_in_left(void);
/* Writes to OUT as far as its window goes; the number of bytes taken. */
size_t mote_out_write(const void *from, size_t count);
/* Moves standard input (fd 0) or output (fd 1): the new position, or -1 with errno. */
long mote_seek(int fd, long offset, int whence);

/* Writes to the console. */
void mote_console(const char *bytes, size_t count);

/* Remembers what lies at the end of the stack's space, and stops with a breakpoint trap (a fault)
 * where it has changed: the stack has grown into the heap. */
void mote_stack_watch(void);
void mote_stack_check(void);
