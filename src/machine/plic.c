/* plic.c - the platform-level interrupt controller */
/* SPDX-License-Identifier: MIT */
#include "machine/plic.h"

#include "base/check.h"

static bool has(const uint32_t *set, unsigned source)
{
    return set[source / 32] >> source % 32 & 1;
}

static void put(uint32_t *set, unsigned source, bool is_in)
{
    uint32_t bit = (uint32_t)1 << source % 32;
    set[source / 32] = is_in ? set[source / 32] | bit : set[source / 32] & ~bit;
}

/* The gateway of a level: a line that is up is one request until it is served. */
static void open_gateway(struct plic *p, unsigned source)
{
    if (has(p->level, source) && !has(p->serving, source)) {
        put(p->pending, source, true);
    }
}

void plic_raise(struct plic *p, unsigned source, bool is_up)
{
    check(source > 0 && source <= PLIC_SOURCES_MAX);
    put(p->level, source, is_up);
    open_gateway(p, source);
}

/* The pending and enabled source of the highest priority over `floor`, 0 for none. */
static unsigned best(const struct plic *p, unsigned floor)
{
    unsigned found = 0;
    for (unsigned word = 0; word < PLIC_WORDS; word++) {
        for (uint32_t set = p->pending[word] & p->enable[word]; set; set &= set - 1) {
            unsigned source = word * 32 + (unsigned)__builtin_ctz(set);
            if (p->priority[source] > floor) {
                floor = p->priority[source];
                found = source;
            }
        }
    }
    return found;
}

unsigned plic_claim(struct plic *p)
{
    unsigned source = best(p, 0);
    if (source) {
        put(p->pending, source, false);
        put(p->serving, source, true);
    }
    return source;
}

void plic_complete(struct plic *p, uint32_t source)
{
    if (source > 0 && source <= PLIC_SOURCES_MAX && has(p->enable, source)) {
        put(p->serving, source, false);
        open_gateway(p, source);
    }
}

void plic_set_enable(struct plic *p, unsigned word, uint32_t bits)
{
    check(word < PLIC_WORDS);
    uint32_t there = word == 0                ? ~(uint32_t)1
                     : word == PLIC_WORDS - 1 ? ((uint32_t)1 << PLIC_SOURCES_MAX % 32 << 1) - 1
                                              : ~(uint32_t)0;
    p->enable[word] = bits & there;
}

bool plic_is_interrupting(const struct plic *p)
{
    return best(p, p->threshold) != 0;
}

bool plic_is_listening(const struct plic *p, unsigned source)
{
    return has(p->enable, source) && p->priority[source] > p->threshold && !has(p->serving, source);
}
