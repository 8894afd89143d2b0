/* history.c - checkpoints: the machine's and the hart's state, and the pages that were written */
/* SPDX-License-Identifier: MIT */
#include "machine/history.h"
#include "machine/internal.h"

#include <stdlib.h>

enum {
    CHECKPOINTS_MAX = 64,
    RANGES_MAX = 16,
    PAGES_COUNT = 1 << 20,    /* of the address space */
    HELD_PAGES_MAX = 65536,   /* 256 MiB, all checkpoints together */
    FIRST_DISTANCE = 1 << 18, /* cycles from checkpoint to checkpoint: a millisecond or so */
};

/* A page as it was; all checkpoints between two changes of it share it. */
struct held {
    uint32_t users;
    uint8_t bytes[PAGE_SIZE];
};

struct checkpoint {
    struct machine machine;
    struct hart hart;
    bool is_edit;       /* the moments before lead to it only with a change by hand */
    struct held **held; /* a row for each writable page, NULL: all zeros */
    uint8_t *dirty;     /* and its mark in the hart's map */
};

/* Pages that a guest may write, which no two ranges share. */
struct range {
    uint32_t first;
    uint32_t count;
};

struct history {
    struct machine *machine;
    struct range ranges[RANGES_MAX];
    size_t ranges_count;
    size_t pages_count; /* of all ranges */
    struct checkpoint checkpoints[CHECKPOINTS_MAX];
    size_t count;
    size_t held_count;
    uint64_t distance;
    uint64_t missed;    /* the meter at the last checkpoint that there was no memory for */
    bool has_lost_edit; /* a change by hand was undone by going back before it */
};

static bool find_ranges(struct history *h)
{
    struct range *last = NULL;
    for (uint32_t page = 0; page < PAGES_COUNT; page++) {
        if ((machine_bus.page(h->machine, page) & PAGE_WRITE) == 0) {
            last = NULL;
            continue;
        }
        if (!last) {
            if (h->ranges_count == RANGES_MAX) {
                return false;
            }
            last = &h->ranges[h->ranges_count++];
            last->first = page;
        }
        last->count++;
        h->pages_count++;
    }
    return true;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

static void release(struct history *h, struct held *held)
{
    if (held && --held->users == 0) {
        free(held);
        h->held_count--;
    }
}

static void drop(struct history *h, struct checkpoint *c)
{
    for (size_t i = 0; c->held && i < h->pages_count; i++) {
        release(h, c->held[i]);
    }
    free(c->held);
    free(c->dirty);
    *c = (struct checkpoint){.held = NULL};
}

static bool is_same(const struct held *held, const uint8_t *page)
{
    return held ? memcmp(held->bytes, page, PAGE_SIZE) == 0 : is_zero(page);
}

static int hold(struct history *h, const uint8_t *page, struct held **ret_held)
{
    struct held *held = malloc(sizeof *held);
    if (!held) {
        return ERR_NO_MEMORY;
    }
    held->users = 1;
    memcpy(held->bytes, page, PAGE_SIZE);
    h->held_count++;
    *ret_held = held;
    return 0;
}

/* One page of a checkpoint that follows `before` (NULL: the first, which has all pages). */
static int save_page(struct history *h, struct checkpoint *c, const struct checkpoint *before,
                     size_t i, uint32_t page)
{
    const uint8_t *bytes = h->machine->memory + (size_t)page * PAGE_SIZE;
    struct held *same = before ? before->held[i] : NULL;
    c->dirty[i] = h->machine->hart->dirty[page];
    if ((before && !c->dirty[i]) || is_same(same, bytes)) {
        c->held[i] = same;
        if (same) {
            same->users++;
        }
        return 0;
    }
    return is_zero(bytes) ? 0 : hold(h, bytes, &c->held[i]);
}

static int save_pages(struct history *h, struct checkpoint *c, const struct checkpoint *before)
{
    size_t i = 0;
    int err = 0;
    for (const struct range *r = h->ranges; r < h->ranges + h->ranges_count; r++) {
        for (uint32_t n = 0; n < r->count && !err; n++, i++) {
            err = save_page(h, c, before, i, r->first + n);
        }
    }
    return err;
}

/* Appends the present moment; there is room for it. */
static int take(struct history *h, bool is_edit)
{
    struct checkpoint *c = &h->checkpoints[h->count];
    const struct checkpoint *before = h->count ? c - 1 : NULL;
    *c = (struct checkpoint){.machine = *h->machine,
                             .hart = *h->machine->hart,
                             .is_edit = is_edit,
                             .held = calloc(h->pages_count, sizeof *c->held),
                             .dirty = calloc(h->pages_count, 1)};
    int err = c->held && c->dirty ? save_pages(h, c, before) : ERR_NO_MEMORY;
    if (err) {
        drop(h, c);
        return err;
    }
    h->count++;
    return 0;
}

static void remove_at(struct history *h, size_t index)
{
    drop(h, &h->checkpoints[index]);
    memmove(&h->checkpoints[index], &h->checkpoints[index + 1],
            (h->count - index - 1) * sizeof h->checkpoints[0]);
    h->count--;
    h->checkpoints[h->count] = (struct checkpoint){.held = NULL};
}

/* Makes room: the distance doubles, and every second checkpoint goes but the first and those that
 * an edit made. Where that frees none, the earliest past is given up. */
static void thin(struct history *h)
{
    size_t before = h->count;
    h->distance *= 2;
    for (size_t i = 1; i < h->count; i++) {
        if (!h->checkpoints[i].is_edit) {
            remove_at(h, i);
        }
    }
    if (h->count == before) {
        remove_at(h, 0);
    }
}

static void make_room(struct history *h)
{
    while (h->count == CHECKPOINTS_MAX || (h->count > 1 && h->held_count > HELD_PAGES_MAX)) {
        thin(h);
    }
}

int history_create(struct machine *m, struct history **ret_history)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h) {
        return ERR_NO_MEMORY;
    }
    h->machine = m;
    h->distance = FIRST_DISTANCE;
    check(find_ranges(h));
    int err = take(h, false);
    if (err) {
        history_destroy(h);
        return err;
    }
    *ret_history = h;
    return 0;
}

void history_destroy(struct history *h)
{
    if (h) {
        for (size_t i = 0; i < h->count; i++) {
            drop(h, &h->checkpoints[i]);
        }
        free(h);
    }
}

static uint64_t meter_of(const struct checkpoint *c)
{
    return c->hart.cycles;
}

/* What a guest did to the user's files stays done: no way leads back before it. */
static bool is_lost(const struct history *h, const struct checkpoint *c)
{
    return meter_of(c) < h->machine->files_changed;
}

static void drop_lost(struct history *h)
{
    while (h->count && is_lost(h, &h->checkpoints[0])) {
        remove_at(h, 0);
    }
}

uint64_t history_due(const struct history *h)
{
    const struct checkpoint *last = h->count ? &h->checkpoints[h->count - 1] : NULL;
    uint64_t due = last && !is_lost(h, last) ? meter_of(last) + h->distance : 0;
    uint64_t retry = h->missed ? h->missed + h->distance : 0;
    return due > retry ? due : retry;
}

/* Without memory for a checkpoint the way back is longer: no reason to end a run. The next is tried
 * as far on as if there were this one, or the run would not move for trying. */
void history_note(struct history *h)
{
    drop_lost(h);
    if (h->machine->hart->cycles >= history_due(h)) {
        make_room(h);
        h->missed = take(h, false) ? h->machine->hart->cycles : 0;
    }
}

void history_edit(struct history *h)
{
    struct machine *m = h->machine;
    if (h->count && meter_of(&h->checkpoints[h->count - 1]) == m->hart->cycles) {
        remove_at(h, h->count - 1);
    }
    make_room(h);
    while (take(h, true) && h->count) {
        /* A past that does not lead here must not be gone back to and run again. */
        remove_at(h, 0);
    }
    m->console_from = m->hart->cycles;
}

/* A page that is not dirty now was the same at every checkpoint. */
static void restore_page(struct history *h, const struct checkpoint *c, size_t i, uint32_t page)
{
    struct hart *hart = h->machine->hart;
    uint8_t *bytes = h->machine->memory + (size_t)page * PAGE_SIZE;
    if (!hart->dirty[page]) {
        return;
    }
    if (!is_same(c->held[i], bytes)) {
        if (c->held[i]) {
            memcpy(bytes, c->held[i]->bytes, PAGE_SIZE);
        } else {
            memset(bytes, 0, PAGE_SIZE);
        }
        hart_wrote(hart, page * PAGE_SIZE, PAGE_SIZE);
    }
    hart->dirty[page] = c->dirty[i];
}

static void restore(struct history *h, const struct checkpoint *c)
{
    struct machine *m = h->machine;
    uint64_t shown = m->hart->cycles > m->console_from ? m->hart->cycles : m->console_from;
    struct wall_clock clock = m->clock;
    size_t i = 0;
    for (const struct range *r = h->ranges; r < h->ranges + h->ranges_count; r++) {
        for (uint32_t n = 0; n < r->count; n++, i++) {
            restore_page(h, c, i, r->first + n);
        }
    }
    *m = c->machine;
    m->console_from = shown;
    m->clock = clock;
    hart_restore(m->hart, &c->hart);
}

bool history_back(struct history *h, uint64_t meter)
{
    drop_lost(h);
    size_t count = h->count;
    while (count && meter_of(&h->checkpoints[count - 1]) >= meter) {
        count--;
    }
    if (count == 0) {
        return false;
    }
    h->missed = 0;
    while (h->count > count) {
        h->has_lost_edit |= h->checkpoints[h->count - 1].is_edit;
        remove_at(h, h->count - 1);
    }
    restore(h, &h->checkpoints[count - 1]);
    return true;
}

/* Without the change that was undone, what comes now was never shown. */
void history_settle(struct history *h)
{
    if (h->has_lost_edit) {
        h->machine->console_from = h->machine->hart->cycles;
        h->has_lost_edit = false;
    }
}

struct history_size history_size(const struct history *h)
{
    return (struct history_size){
        .first = h->count ? meter_of(&h->checkpoints[0]) : h->machine->hart->cycles,
        .checkpoints = h->count,
        .bytes = (uint64_t)h->held_count * PAGE_SIZE,
    };
}
