/* err.c - what an error code means */
/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    int err;
    const char *text;
    int http_status;
    int exit_status;
} errors[] = {
#define ERR(name, text, http, exit) {ERR_##name, text, http, exit},
#include "base/err.def"
#undef ERR
};

static int find(int err)
{
    for (int i = 0; i < (int)ARRAY_COUNT(errors); i++) {
        if (errors[i].err == err) {
            return i;
        }
    }
    return -1;
}

const char *err_text(int err)
{
    int i = find(err);
    return i < 0 ? "unknown error" : errors[i].text;
}

int err_http_status(int err)
{
    int i = find(err);
    return i < 0 ? 500 : errors[i].http_status;
}

int err_exit_status(int err)
{
    int i = find(err);
    return i < 0 ? 125 : errors[i].exit_status;
}

int fail(struct msg *msg, int err, const char *format, ...)
{
    if (msg) {
        va_list args;
        va_start(args, format);
        vsnprintf(msg->text, sizeof msg->text, format, args);
        va_end(args);
    }
    return err;
}
