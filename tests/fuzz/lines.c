/* lines.c - line tables of any bytes give sound rows or words */
/* SPDX-License-Identifier: MIT */
#include "cmd/lines.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MAX = 1 << 16 };

static int see(void *context, const struct line_row *row)
{
    uint32_t *left = context;
    check(row->begin < row->end);
    check(row->line > 0);
    check(strlen(row->path) < (size_t)1 << 30); /* looks at all of it */
    return --*left ? 0 : ERR_TOO_BIG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lines *lines = NULL;
    struct msg msg = {{0}};
    uint32_t left = ROWS_MAX;
    if (lines_open(span_of(data, size), &lines, &msg)) {
        check(msg.text[0] != 0);
        return 0;
    }
    int err = lines_walk(lines, see, &left, &msg);
    check(err == 0 || (err == ERR_TOO_BIG && left == 0) || msg.text[0] != 0);
    lines_close(lines);
    return 0;
}
