/* plic.h - the platform-level interrupt controller: priorities, gateways, claim and complete */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: zeroed is reset -> plic_raise, plic_read, plic_write ... One context: machine mode of
 * hart 0 (PLIC specification 1.0.0). */
#include <stdbool.h>
#include <stdint.h>

enum { PLIC_SOURCES_MAX = 96, PLIC_WORDS = PLIC_SOURCES_MAX / 32 + 1, PLIC_PRIORITY_MAX = 7 };

/* Sets of sources are words of 32 bits; bit 0 of the first, source 0, is never set. */
struct plic {
    uint8_t priority[PLIC_SOURCES_MAX + 1];
    uint8_t threshold;
    uint32_t level[PLIC_WORDS];   /* lines that are up */
    uint32_t pending[PLIC_WORDS]; /* passed their gateway, wait to be claimed */
    uint32_t serving[PLIC_WORDS]; /* claimed: their gateways are shut until completion */
    uint32_t enable[PLIC_WORDS];
};

/* Puts a source's line up or down. A request that has passed its gateway stays pending. */
void plic_raise(struct plic *p, unsigned source, bool is_up);
/* Takes the source to serve, 0 for none; the threshold has no say in it (section 7). */
unsigned plic_claim(struct plic *p);
/* That source is served; one that is not enabled is none (section 8). */
void plic_complete(struct plic *p, uint32_t source);
void plic_set_enable(struct plic *p, unsigned word, uint32_t bits);
/* Does a source that is pending and enabled pass the threshold? */
bool plic_is_interrupting(const struct plic *p);
/* Could an interrupt of this source reach the hart, if its line went up? */
bool plic_is_listening(const struct plic *p, unsigned source);
