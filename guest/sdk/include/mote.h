/* mote.h - the MCU and its request, for programs that want more than standard C */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Standard C needs none of this: stdin is the request's body, stdout the reply's, stderr the
 * console, getenv() knows the request's headers, and the exit code is the run's. */
#include <mote-machine.h>

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A register of the tables: MOTE_REG(MOTE_LAMBDA_IN_LEN). */
#define MOTE_REG(address) (*(volatile uint32_t *)(address))

/* For variables that live as long as the session: zero in its first run, then what the run before
 * left. An initial value has no effect. Sessions outlive ROMs: a new version of a program should
 * keep the layout, or check a version number that it keeps there too. */
#define MOTE_PRESERVE __attribute__((section(".preserve")))
/* The same without the zeroing: what a cold boot finds there is not defined. */
#define MOTE_NOINIT __attribute__((section(".noinit")))

/* The request's body, in place: nothing is copied, zeros follow it. */
static inline const unsigned char *mote_in(void)
{
    return (const unsigned char *)MOTE_IN_BASE;
}

static inline size_t mote_in_len(void)
{
    return MOTE_REG(MOTE_LAMBDA_IN_LEN);
}

/* The reply's body, in place; zeros at first. Declare how much of it counts. */
static inline unsigned char *mote_out(void)
{
    return (unsigned char *)MOTE_OUT_BASE;
}

/* What has been written to stdout, or was declared. */
size_t mote_out_len(void);
/* Declares the reply's length, at most the window's; stdout goes on from there. */
void mote_out_len_set(size_t len);

/* True where the RAM of an earlier run is there, and so .preserve has its values. */
static inline bool mote_is_warm(void)
{
    return MOTE_REG(MOTE_LAMBDA_BOOT) != 0;
}

/* Cycles that this run has used, and the cap that ends it. */
uint64_t mote_cycles(void);
uint64_t mote_cycles_max(void);

/* Sets a header of the reply, `mote_reply_header("Content-Type", "image/png")`, in place of one of
 * that name set before. -1 with errno EINVAL for what is no header, ENOSPC where 32 KiB are full.
 */
int mote_reply_header(const char *name, const char *value);
/* Sets the HTTP status of the reply: 200 to 599, else -1 with errno EINVAL. */
int mote_reply_status(int status);

/* printf to the console; adds no line end. */
void mote_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of `name` in the query string, percent-decoded, as a string from malloc; NULL where
 * the request has none (or memory is out). The first of several counts. */
char *mote_query(const char *name);
/* The same as a whole number, kept between `low` and `high`; `fallback` where there is none. */
long mote_query_number(const char *name, long fallback, long low, long high);

#ifdef __cplusplus
}
#endif
#endif
