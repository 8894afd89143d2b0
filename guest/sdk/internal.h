/* internal.h - what the files of the SDK's library share */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "mote.h"

/* Where standard input and output stand. The library's own state: a guest is one program on one
 * hart, and stdin is global by the C standard. */
struct mote_streams {
    const unsigned char *in_at;  /* next byte to read */
    const unsigned char *in_end; /* where IN ends; equal to in_at until its length was asked for */
    unsigned char *out_at;       /* next byte to write */
    unsigned char *out_high;     /* the furthest that a seek has left behind */
};
extern struct mote_streams mote_streams;

/* Bytes of IN from in_at on; brings in_end up to date. */
size_t mote_in_left(void);
/* Bytes of OUT's window from out_at on. */
size_t mote_out_left(void);
/* Tells the lambda controller how long OUT is, if anything was written through the library. */
void mote_out_declare(void);
/* Moves standard input (fd 0) or output (fd 1): the new position, or -1 with errno. */
long mote_seek(int fd, long offset, int whence);

/* Writes to the console. */
void mote_console(const char *bytes, size_t count);

/* Remembers what lies at the end of the stack's space, and stops with a breakpoint trap (a fault)
 * where it has changed: the stack has grown into the heap. */
void mote_stack_watch(void);
void mote_stack_check(void);
