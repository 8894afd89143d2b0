/* stdio.c - stdin, stdout and stderr straight on IN, OUT and the UART */
/* SPDX-License-Identifier: MIT */
/* The streams are picolibc's FILE with functions of ours behind them, so all of stdio works. The
 * few functions that touch each byte stand here too, in front of picolibc's: for IN and OUT they
 * are a few loads, stores and comparisons, for any other stream they do what picolibc's do. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#undef getc
#undef getchar
#undef putc
#undef putchar

static int in_get(FILE *stream)
{
    (void)stream;
    return mote_in_left() != 0 ? *mote_streams.in_at++ : _FDEV_EOF;
}

/* The common way of a byte: to OUT's end, where the window has room for it. */
static bool append(unsigned char c)
{
    size_t len = MOTE_REG(MOTE_LAMBDA_OUT_LEN);
    if (mote_streams.out_at != MOTE_AT_END || len >= MOTE_OUT_SIZE) {
        return false;
    }
    mote_out()[len] = c;
    MOTE_REG(MOTE_LAMBDA_OUT_LEN) = len + 1;
    return true;
}

static size_t out_write(const void *from, size_t count, FILE *stream)
{
    size_t done = mote_out_write(from, count);
    if (done < count) {
        stream->flags |= __SERR;
        errno = ENOSPC;
    }
    return done;
}

/* Not inlined, so that the common path needs no stack frame. */
__attribute__((noinline)) static int out_put_slowly(char c, FILE *stream)
{
    return out_write(&c, 1, stream) == 1 ? 0 : _FDEV_ERR;
}

static int out_put(char c, FILE *stream)
{
    return append((unsigned char)c) ? 0 : out_put_slowly(c, stream);
}

static int console_put(char c, FILE *stream)
{
    (void)stream;
    mote_console(&c, 1);
    return 0;
}

static __off_t in_seek(FILE *stream, __off_t offset, int whence)
{
    if (whence == SEEK_CUR && stream->unget != 0) {
        offset--; /* a byte pushed back has not been read */
    }
    /* ftell must leave the pushed-back byte where it is. */
    return whence == SEEK_CUR && stream->unget != 0 && offset == -1
               ? mote_streams.in_at - mote_in() - 1
               : mote_seek(0, (long)offset, whence);
}

static __off_t out_seek(FILE *stream, __off_t offset, int whence)
{
    (void)stream;
    return mote_seek(1, (long)offset, whence);
}

/* Any mode is as good as any other: nothing is ever held back in a buffer. */
static int any_setvbuf(FILE *stream, char *buffer, int mode, size_t size)
{
    (void)stream, (void)buffer, (void)mode, (void)size;
    return 0;
}

static int any_close(FILE *stream)
{
    stream->flags &= (uint8_t) ~(__SRD | __SWR);
    return 0;
}

static int nothing_to_flush(FILE *stream)
{
    (void)stream;
    return 0;
}

static struct __file_ext in_file =
    FDEV_SETUP_EXT(NULL, in_get, nothing_to_flush, any_close, in_seek, any_setvbuf, __SRD);
static struct __file_ext out_file =
    FDEV_SETUP_EXT(out_put, NULL, nothing_to_flush, any_close, out_seek, any_setvbuf, __SWR);
static struct __file_ext console_file =
    FDEV_SETUP_EXT(console_put, NULL, nothing_to_flush, any_close, NULL, any_setvbuf, __SWR);

FILE *const stdin = &in_file.cfile.file;
FILE *const stdout = &out_file.cfile.file;
FILE *const stderr = &console_file.cfile.file;

/* picolibc's ungetc stores the byte with bit 8 set; 0 is none. Not inlined, so that the common path
 * of fgetc needs no stack frame. */
__attribute__((noinline)) static int get_slowly(FILE *stream)
{
    if (!(stream->flags & __SRD)) {
        return EOF;
    }
    int c = (int)stream->unget;
    if (c != 0) {
        stream->unget = 0;
        return c & 0xff;
    }
    c = stream->get(stream);
    if (c < 0) {
        stream->flags |= c == _FDEV_ERR ? __SERR : __SEOF;
        return EOF;
    }
    return c & 0xff;
}

int fgetc(FILE *stream)
{
    struct mote_streams *s = &mote_streams;
    if (stream == stdin && s->in_at < s->in_end && stream->unget == 0 && stream->flags & __SRD) {
        return *s->in_at++;
    }
    return get_slowly(stream);
}

/* picolibc's needs a stream; for NULL, C says all of them (C17 7.21.5.2): none holds back. */
int fflush(FILE *stream)
{
    return stream && stream->flush ? stream->flush(stream) : 0;
}

int getc(FILE *stream) __attribute__((alias("fgetc")));

int getchar(void)
{
    return fgetc(stdin);
}

__attribute__((noinline)) static int put_slowly(int c, FILE *stream)
{
    return stream->put((char)c, stream) < 0 ? EOF : c & 0xff;
}

int fputc(int c, FILE *stream)
{
    if (!(stream->flags & __SWR)) {
        return EOF;
    }
    if (stream == stdout && append((unsigned char)c)) {
        return c & 0xff;
    }
    return put_slowly(c, stream);
}

int putc(int c, FILE *stream) __attribute__((alias("fputc")));

int putchar(int c)
{
    return fputc(c, stdout);
}

/* Blocks go in one piece where a window is behind the stream. */
static size_t read_bytes(unsigned char *to, size_t count, FILE *stream)
{
    size_t done = 0;
    while (done < count) {
        if (stream == stdin && stream->unget == 0 && stream->flags & __SRD) {
            size_t left = mote_in_left();
            size_t piece = left < count - done ? left : count - done;
            memcpy(to + done, mote_streams.in_at, piece);
            mote_streams.in_at += piece;
            done += piece;
            if (done < count) {
                stream->flags |= __SEOF;
            }
            break;
        }
        int c = fgetc(stream);
        if (c == EOF) {
            break;
        }
        to[done++] = (unsigned char)c;
    }
    return done;
}

static size_t write_bytes(const unsigned char *from, size_t count, FILE *stream)
{
    if (stream == stdout && stream->flags & __SWR) {
        return out_write(from, count, stream);
    }
    size_t done = 0;
    while (done < count && fputc(from[done], stream) != EOF) {
        done++;
    }
    return done;
}

size_t fread(void *to, size_t size, size_t count, FILE *stream)
{
    size_t bytes;
    if (size == 0 || __builtin_mul_overflow(size, count, &bytes)) {
        return 0;
    }
    return read_bytes(to, bytes, stream) / size;
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *stream)
{
    size_t bytes;
    if (size == 0 || __builtin_mul_overflow(size, count, &bytes)) {
        return 0;
    }
    return write_bytes(from, bytes, stream) / size;
}

int fputs(const char *text, FILE *stream)
{
    size_t len = strlen(text);
    return write_bytes((const unsigned char *)text, len, stream) == len ? 0 : EOF;
}

int puts(const char *text)
{
    return fputs(text, stdout) == EOF ? EOF : putchar('\n');
}
