/* streams.c - positions in IN and OUT, shared by stdio and by read and write */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define IN_BASE  ((const unsigned char *)MOTE_IN_BASE)
#define OUT_BASE ((unsigned char *)MOTE_OUT_BASE)

struct mote_streams mote_streams = {IN_BASE, IN_BASE, OUT_BASE, OUT_BASE};

size_t mote_in_left(void)
{
    struct mote_streams *s = &mote_streams;
    s->in_end = IN_BASE + mote_in_len();
    return s->in_at < s->in_end ? (size_t)(s->in_end - s->in_at) : 0;
}

size_t mote_out_left(void)
{
    return (size_t)(OUT_BASE + MOTE_OUT_SIZE - mote_streams.out_at);
}

size_t mote_out_len(void)
{
    const struct mote_streams *s = &mote_streams;
    size_t written = (size_t)((s->out_at > s->out_high ? s->out_at : s->out_high) - OUT_BASE);
    return written != 0 ? written : MOTE_REG(MOTE_LAMBDA_OUT_LEN);
}

void mote_out_len_set(size_t len)
{
    len = len < MOTE_OUT_SIZE ? len : MOTE_OUT_SIZE;
    mote_streams.out_at = mote_streams.out_high = OUT_BASE + len;
    MOTE_REG(MOTE_LAMBDA_OUT_LEN) = len;
}

void mote_out_declare(void)
{
    if (mote_streams.out_at != OUT_BASE || mote_streams.out_high != OUT_BASE) {
        MOTE_REG(MOTE_LAMBDA_OUT_LEN) = mote_out_len();
    }
}

/* Past its end IN can be sought, as a file can; OUT ends with its window. */
long mote_seek(int fd, long offset, int whence)
{
    struct mote_streams *s = &mote_streams;
    long at = fd == 0 ? s->in_at - IN_BASE : s->out_at - OUT_BASE;
    long len = fd == 0 ? (long)mote_in_len() : (long)mote_out_len();
    long from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? at : len;
    long max = fd == 0 ? MOTE_IN_SIZE : MOTE_OUT_SIZE;
    if (whence < SEEK_SET || whence > SEEK_END || offset < -from || offset > max - from) {
        errno = EINVAL;
        return -1;
    }
    if (fd == 0) {
        s->in_at = IN_BASE + from + offset;
    } else {
        s->out_high = OUT_BASE + len;
        s->out_at = OUT_BASE + from + offset;
    }
    return from + offset;
}

void mote_console(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *(volatile unsigned char *)MOTE_UART_THR = (unsigned char)bytes[i];
    }
}
