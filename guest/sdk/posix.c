/* posix.c - the system calls that a C library asks for, on one MCU with three files */
/* SPDX-License-Identifier: MIT */
/* 0 is IN, 1 is OUT, 2 is the console; there are no others. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define TICKS_PER_SECOND 10000000u /* of the nominal clock behind rdtime (machine.md) */

static int fails(int error)
{
    errno = error;
    return -1;
}

ssize_t read(int fd, void *to, size_t count)
{
    if (fd != 0) {
        return fails(EBADF);
    }
    size_t left = mote_in_left();
    count = count < left ? count : left;
    memcpy(to, mote_streams.in_at, count);
    mote_streams.in_at += count;
    return (ssize_t)count;
}

ssize_t write(int fd, const void *from, size_t count)
{
    if (fd == 2) {
        mote_console(from, count);
        return (ssize_t)count;
    }
    if (fd != 1) {
        return fails(EBADF);
    }
    size_t done = mote_out_write(from, count);
    return done == 0 && count != 0 ? fails(ENOSPC) : (ssize_t)done;
}

off_t lseek(int fd, off_t offset, int whence)
{
    if (fd == 0 || fd == 1) {
        return mote_seek(fd, (long)offset, whence);
    }
    return fails(fd == 2 ? ESPIPE : EBADF);
}

int fstat(int fd, struct stat *stat)
{
    if (fd < 0 || fd > 2) {
        return fails(EBADF);
    }
    memset(stat, 0, sizeof *stat);
    stat->st_mode = fd == 2 ? S_IFCHR | 0200 : S_IFREG | (fd == 0 ? 0400 : 0600);
    stat->st_size = (off_t)(fd == 0 ? mote_in_len() : fd == 1 ? mote_out_len() : 0);
    return 0;
}

int isatty(int fd)
{
    errno = fd < 0 || fd > 2 ? EBADF : ENOTTY;
    return 0;
}

int open(const char *path, int flags, ...)
{
    (void)path;
    return fails(flags & O_CREAT ? EROFS : ENOENT);
}

int close(int fd)
{
    return fd < 0 || fd > 2 ? fails(EBADF) : 0;
}

int unlink(const char *path)
{
    (void)path;
    return fails(ENOENT);
}

int rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return fails(ENOENT);
}

pid_t getpid(void)
{
    return 1;
}

/* abort(), a failed assert() and other deadly signals end as a fault does: with a report, and the
 * session as it was before the run. */
int kill(pid_t pid, int signal)
{
    if (pid > 1 || signal < 0) {
        return fails(pid > 1 ? ESRCH : EINVAL);
    }
    if (signal != 0) {
        __asm__ volatile("ebreak");
    }
    return 0;
}

static uint64_t ticks(void)
{
    uint32_t high, low, again;
    do {
        __asm__ volatile("rdtimeh %0\n rdtime %1\n rdtimeh %2"
                         : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

/* Time since reset: nothing of the host leaks in, so there is no other. */
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    uint64_t t = ticks();
    now->tv_sec = (time_t)(t / TICKS_PER_SECOND);
    now->tv_usec = (suseconds_t)(t % TICKS_PER_SECOND / (TICKS_PER_SECOND / 1000000));
    return 0;
}

clock_t clock(void)
{
    return (clock_t)(ticks() / (TICKS_PER_SECOND / CLOCKS_PER_SEC));
}

/* A semihosting call, whose sequence may not be compressed nor lie in two pages. */
uint32_t mote_semihost(uint32_t operation, const uint32_t *parameters);
__asm__(".pushsection .text.mote_semihost, \"ax\", @progbits\n"
        ".balign 16\n"
        ".type mote_semihost, @function\n"
        "mote_semihost:\n"
        ".option push\n"
        ".option norvc\n"
        "slli zero, zero, 0x1f\n"
        "ebreak\n"
        "srai zero, zero, 7\n"
        "ret\n"
        ".option pop\n"
        ".size mote_semihost, . - mote_semihost\n"
        ".popsection\n");

/* The finisher takes 16 bits, of which none may be lost: exit(65536) is no success. */
void __attribute__((noreturn)) _exit(int code)
{
    uint32_t whole = (uint32_t)code;
    mote_stack_check();
    if (whole > 0xffff) {
        /* SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit has room for them all. */
        mote_semihost(0x20, (const uint32_t[]){0x20026, whole});
        whole = 0xffff; /* there was none to answer */
    }
    MOTE_REG(MOTE_POWER_FINISH) = whole != 0 ? whole << 16 | 0x3333 : 0x5555;
    for (;;) {
    }
}
