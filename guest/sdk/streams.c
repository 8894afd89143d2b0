/* streams.c - positions in IN and OUT, shared by stdio and by read and write */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IN_BASE ((const unsigned char *)MOTE_IN_BASE)

struct mote_streams mote_streams = {IN_BASE, IN_BASE, MOTE_AT_END};

size_t mote_in_left(void)
{
    struct mote_streams *s = &mote_streams;
    s->in_end = IN_BASE + mote_in_len();
    return s->in_at < s->in_end ? (size_t)(s->in_end - s->in_at) : 0;
}

size_t mote_out_len(void)
{
    return MOTE_REG(MOTE_LAMBDA_OUT_LEN);
}

void mote_out_len_set(size_t len)
{
    mote_streams.out_at = MOTE_AT_END;
    MOTE_REG(MOTE_LAMBDA_OUT_LEN) = len;
}

/* A position at OUT's end stays there when the end moves. */
static void out_move(size_t at)
{
    mote_streams.out_at = at == mote_out_len() ? MOTE_AT_END : at;
}

static size_t out_position(void)
{
    return mote_streams.out_at == MOTE_AT_END ? mote_out_len() : mote_streams.out_at;
}

size_t mote_out_write(const void *from, size_t count)
{
    size_t at = out_position();
    size_t left = MOTE_OUT_SIZE - at;
    count = count < left ? count : left;
    if (count == 0) {
        return 0; /* which declares nothing */
    }
    memcpy(mote_out() + at, from, count);
    if (at + count > mote_out_len()) {
        MOTE_REG(MOTE_LAMBDA_OUT_LEN) = at + count;
    }
    out_move(at + count);
    return count;
}

/* Past its end IN can be sought, as a file can; OUT ends with its window. */
long mote_seek(int fd, long offset, int whence)
{
    struct mote_streams *s = &mote_streams;
    long at = fd == 0 ? s->in_at - IN_BASE : (long)out_position();
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
        out_move((size_t)(from + offset));
    }
    return from + offset;
}

void mote_console(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *(volatile unsigned char *)MOTE_UART_THR = (unsigned char)bytes[i];
    }
}
