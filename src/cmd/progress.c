/* progress.c - draws over one line of standard error */
/* SPDX-License-Identifier: MIT */
#include "cmd/progress.h"
#include "cmd/printable.h"
#include "os/clock.h"
#include "os/command.h"

#include <stdio.h>

enum { BAR_COLUMNS_MAX = 40, TEXT_COLUMNS = 40, BETWEEN_NS = 100000000, NAME_SIZE = 17 };

static void draw_bar(unsigned columns, uint64_t done, uint64_t total)
{
    unsigned full = (unsigned)(done * columns / total);
    putc('[', stderr);
    for (unsigned i = 0; i < columns; i++) {
        putc(i < full ? '#' : ' ', stderr);
    }
    fprintf(stderr, "] %3u%% ", (unsigned)(done * 100 / total));
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    uint64_t now = os_now_ns();
    if (progress->shown_ns && now - progress->shown_ns < BETWEEN_NS && done != total) {
        return;
    }
    progress->shown_ns = now;
    unsigned width = os_terminal_columns(2);
    unsigned columns = width > TEXT_COLUMNS + BAR_COLUMNS_MAX ? BAR_COLUMNS_MAX
                       : width > TEXT_COLUMNS                 ? width - TEXT_COLUMNS
                                                              : 0;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s", progress->name);
    make_printable(name);
    fprintf(stderr, "\r%s ", name);
    if (total && columns && done <= total) {
        draw_bar(columns, done, total);
    }
    fprintf(stderr, "%.1f MiB", (double)done / (1 << 20));
    fflush(stderr);
}

void progress_end(const struct progress *progress)
{
    if (progress->shown_ns) {
        fputs("\r\033[K", stderr);
    }
}
