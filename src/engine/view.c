/* view.c - what each mode may do in a page, and the code that it has predecoded there */
/* SPDX-License-Identifier: MIT */
/* A view is filled as it is used, and holds what the interpreter may do without asking. A write to
 * the PMP's CSRs makes it forget what they cover, and a store what it may have changed. */
#include "engine/internal.h"

#include <string.h>

enum { CHUNK_PAGES = (1 << 20) / VIEW_CHUNKS_COUNT };

enum mode view_data_mode(const struct hart *h)
{
    bool is_lent = h->mode == MODE_M && (h->csr.mstatus & MSTATUS_MPRV);
    return is_lent ? (enum mode)((h->csr.mstatus & MSTATUS_MPP) >> MSTATUS_MPP_AT) : h->mode;
}

struct view *view_of(struct hart *h, enum mode mode)
{
    return mode == MODE_M ? &h->m : &h->u;
}

unsigned plain_flags(struct hart *h, uint32_t address)
{
    uint32_t page = address / PAGE_SIZE;
    if (!h->plain[page]) {
        h->plain[page] = (uint8_t)(h->bus.page(h->bus.context, page) | PAGE_KNOWN);
    }
    return h->plain[page];
}

static bool is_decoded(const struct hart *h, uint32_t page)
{
    return (h->u.access[page] | h->m.access[page]) & PAGE_DECODED;
}

unsigned view_flags(struct hart *h, enum mode mode, uint32_t address)
{
    uint32_t page = address / PAGE_SIZE;
    struct view *view = view_of(h, mode);
    if (!(view->access[page] & PAGE_KNOWN)) {
        unsigned plain = plain_flags(h, address);
        unsigned flags = plain & pmp_page(h, mode, page);
        flags |= flags & PAGE_WRITE ? PAGE_WRITABLE : 0;
        flags &= (plain & PAGE_WATCHED) || is_decoded(h, page) ? ~(unsigned)PAGE_WRITE : ~0u;
        view->access[page] = (uint8_t)((view->access[page] & PAGE_DECODED) | flags | PAGE_KNOWN);
        view->is_used[page / CHUNK_PAGES] = 1;
    }
    return view->access[page];
}

void view_mark_decoded(struct hart *h, enum mode mode, uint32_t address)
{
    uint32_t page = address / PAGE_SIZE;
    (void)view_flags(h, mode, address);
    view_of(h, mode)->access[page] |= PAGE_DECODED;
    h->u.access[page] &= (uint8_t)~PAGE_WRITE;
    h->m.access[page] &= (uint8_t)~PAGE_WRITE;
}

/* Forgets the predecoded instructions that overlap the bytes, or whose handler runs one that does.
 * Those before keep their operands: the handler of a pair that ends there reads them. */
static void drop_code(struct view *view, uint32_t address, uint32_t len)
{
    uint32_t first = address / 2;
    uint32_t count = (address % 2 + len + 1) / 2;
    memset(&view->code[first], 0, count * sizeof *view->code);
    for (uint32_t back = 1; back <= CODE_REACH; back++) {
        /* Round the address space's end. */
        struct predecoded *d = &view->code[(address - 2 * back) / 2];
        if (d->handler) { /* the table before a window can only be read */
            d->handler = 0;
        }
    }
}

void view_wrote(struct hart *h, uint32_t address, uint32_t len)
{
    uint32_t page = address / PAGE_SIZE;
    if (h->m.access[page] & PAGE_DECODED) {
        drop_code(&h->m, address, len);
    }
    if (h->u.access[page] & PAGE_DECODED) {
        drop_code(&h->u, address, len);
    }
}

/* Code stays where the whole page may still be executed. Elsewhere each instruction was looked at
 * by itself, and goes. */
static void forget_page(struct hart *h, enum mode mode, uint32_t page)
{
    struct view *view = view_of(h, mode);
    bool is_code = view->access[page] & PAGE_DECODED;
    uint32_t address = page * PAGE_SIZE;
    view->access[page] &= PAGE_DECODED;
    if (is_code && !(view_flags(h, mode, address) & PAGE_EXECUTE)) {
        drop_code(view, address, PAGE_SIZE);
        view->access[page] = 0;
        struct view *other = mode == MODE_M ? &h->u : &h->m;
        other->access[page] &= PAGE_DECODED; /* may store there by the fast path again */
    }
}

void view_forget(struct hart *h, enum mode mode, uint32_t first, uint32_t last)
{
    const struct view *view = view_of(h, mode);
    uint32_t end = last / PAGE_SIZE + 1;
    for (uint32_t page = first / PAGE_SIZE; page < end;) {
        uint32_t chunk = page / CHUNK_PAGES;
        uint32_t next = (chunk + 1) * CHUNK_PAGES;
        next = next < end ? next : end;
        for (; view->is_used[chunk] && page < next; page++) {
            if (view->access[page]) {
                forget_page(h, mode, page);
            }
        }
        page = next;
    }
}
