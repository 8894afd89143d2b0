/* check.h - assertions, and the attributes that the rest of the code may use */
/* SPDX-License-Identifier: MIT */
#pragma once

#define MUST_CHECK      __attribute__((warn_unused_result))
#define NORETURN        __attribute__((noreturn))
#define COLD            __attribute__((cold, noinline))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define UNUSED          __attribute__((unused))
#define likely(x)       __builtin_expect(!!(x), 1)
#define unlikely(x)     __builtin_expect(!!(x), 0)

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Prints where and what, then aborts: a broken check is a bug of ours, never a guest's doing. */
NORETURN COLD void check_failed(const char *file, int line, const char *condition);

/* States what must hold, in release builds too. Never applied to what a guest or client sends. */
#define check(condition) \
    (likely(condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
