/* console.c - a ring of past runs */
/* SPDX-License-Identifier: MIT */
#include "service/console.h"

#include <stdlib.h>

int consoles_init(struct consoles *consoles, size_t count_max, uint64_t keep_ns)
{
    *consoles = (struct consoles){.count_max = count_max, .keep_ns = keep_ns};
    if (count_max > 0) {
        consoles->items = calloc(count_max, sizeof *consoles->items);
    }
    return count_max > 0 && !consoles->items ? ERR_NO_MEMORY : 0;
}

static void forget(struct console *console)
{
    free(console->bytes);
    buf_deinit(&console->report);
}

void consoles_deinit(struct consoles *consoles)
{
    for (size_t i = 0; consoles->items && i < consoles->count_max; i++) {
        forget(&consoles->items[i]);
    }
    free(consoles->items);
    *consoles = (struct consoles){0};
}

void consoles_put(struct consoles *consoles, const struct console *console, uint64_t now_ns)
{
    if (consoles->count_max == 0) {
        struct console unwanted = *console;
        forget(&unwanted);
        return;
    }
    struct console *item = &consoles->items[consoles->next];
    consoles->next = (consoles->next + 1) % consoles->count_max;
    forget(item);
    *item = *console;
    item->expires_ns = now_ns + consoles->keep_ns;
}

const struct console *consoles_find(const struct consoles *consoles, const struct id *run,
                                    uint64_t now_ns)
{
    for (size_t i = 0; i < consoles->count_max; i++) {
        const struct console *item = &consoles->items[i];
        if (item->expires_ns > now_ns && id_equals(&item->run, run)) {
            return item;
        }
    }
    return NULL;
}
