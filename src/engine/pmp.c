/* pmp.c - physical memory protection: entries, locks, and what each mode may do where */
/* SPDX-License-Identifier: MIT */
/* Privileged specification 1.12, 3.7, and Smepmp 1.0; 16 entries, granularity 4 bytes. So an
 * aligned access is never matched in part, and what a page allows can be told without its accesses.
 */
#include "engine/internal.h"

enum { R = PAGE_READ, W = PAGE_WRITE, X = PAGE_EXECUTE };
enum { MATCH_TOR = 1, MATCH_NA4, MATCH_NAPOT };

static unsigned config_of(const struct hart *h, unsigned entry)
{
    return h->csr.pmpcfg[entry / 4] >> 8 * (entry % 4) & 0xff;
}

static unsigned match_of(unsigned config)
{
    return config >> 3 & 3;
}

static unsigned rule_of(unsigned config)
{
    return config / PMP_LOCK << 3 | (config & (R | W | X));
}

static const struct {
    uint8_t machine;
    uint8_t user;
} rules[] = {
#define RULE(lock, read, write, execute, machine, user) \
    [(lock) << 3 | (read)*R | (write)*W | (execute)*X] = {machine, user},
#include "engine/smepmp.def"
#undef RULE
};

/* The bytes that the CSRs make an entry match (3.7.1.1), cut to the 4 GiB that there are. */
static struct pmp_entry entry_of(const struct hart *h, unsigned i)
{
    unsigned config = config_of(h, i);
    uint64_t address = h->csr.pmpaddr[i];
    uint64_t ones = address ^ (address + 1); /* the low ones of a NAPOT address, and the 0 above */
    uint64_t begin = 0, end = 0;
    switch (match_of(config)) {
    case MATCH_TOR:
        begin = i > 0 ? (uint64_t)h->csr.pmpaddr[i - 1] << 2 : 0;
        end = address << 2;
        break;
    case MATCH_NA4:
        begin = address << 2;
        end = begin + 4;
        break;
    case MATCH_NAPOT:
        begin = (address & ~ones) << 2;
        end = begin + ((ones + 1) << 2);
        break;
    }
    end = end < GiB(4) ? end : GiB(4);
    return begin < end
               ? (struct pmp_entry){(uint32_t)begin, (uint32_t)(end - 1), (uint8_t)config, true}
               : (struct pmp_entry){.config = (uint8_t)config};
}

enum overlap { OVERLAP_NONE, OVERLAP_PART, OVERLAP_WHOLE };

static enum overlap overlap_of(const struct pmp_entry *entry, uint32_t first, uint32_t last)
{
    if (!entry->is_on || last < entry->first || first > entry->last) {
        return OVERLAP_NONE;
    }
    return first >= entry->first && last <= entry->last ? OVERLAP_WHOLE : OVERLAP_PART;
}

/* Of an access, which may go on at address 0 behind the last. */
static enum overlap overlap_wrapping(const struct pmp_entry *entry, uint32_t first, uint32_t last)
{
    if (first <= last) {
        return overlap_of(entry, first, last);
    }
    enum overlap high = overlap_of(entry, first, ~0u), low = overlap_of(entry, 0, last);
    return high == low ? high : OVERLAP_PART;
}

/* What the mode may do where the entry matches. */
static unsigned allowed_by(const struct hart *h, enum mode mode, unsigned config)
{
    if (h->pmp.seccfg & MSECCFG_MML) {
        return mode == MODE_M ? rules[rule_of(config)].machine : rules[rule_of(config)].user;
    }
    return mode == MODE_M && !(config & PMP_LOCK) ? R | W | X : config & (R | W | X);
}

/* And where none does. */
static unsigned allowed_by_none(const struct hart *h, enum mode mode)
{
    if (mode != MODE_M || (h->pmp.seccfg & MSECCFG_MMWP)) {
        return 0;
    }
    return h->pmp.seccfg & MSECCFG_MML ? R | W : R | W | X;
}

bool pmp_allows(const struct hart *h, enum mode mode, uint32_t address, unsigned size,
                unsigned wanted)
{
    for (size_t i = 0; h->pmp.is_on && i < PMP_ENTRIES_COUNT; i++) {
        const struct pmp_entry *entry = &h->pmp.entries[i];
        switch (overlap_wrapping(entry, address, address + size - 1)) {
        case OVERLAP_NONE:
            break;
        case OVERLAP_PART: /* fails whatever it allows (3.7.1.3) */
            return false;
        case OVERLAP_WHOLE:
            return (allowed_by(h, mode, entry->config) & wanted) == wanted;
        }
    }
    return (allowed_by_none(h, mode) & wanted) == wanted;
}

unsigned pmp_page(const struct hart *h, enum mode mode, uint32_t page)
{
    uint32_t first = page * PAGE_SIZE;
    unsigned allowed = R | W | X;
    for (size_t i = 0; h->pmp.is_on && i < PMP_ENTRIES_COUNT; i++) {
        const struct pmp_entry *entry = &h->pmp.entries[i];
        enum overlap overlap = overlap_of(entry, first, first + (PAGE_SIZE - 1));
        if (overlap != OVERLAP_NONE) {
            allowed &= allowed_by(h, mode, entry->config);
        }
        if (overlap == OVERLAP_WHOLE) {
            return allowed;
        }
    }
    return allowed & allowed_by_none(h, mode);
}

static bool has_lock(const struct hart *h)
{
    for (unsigned i = 0; i < PMP_ENTRIES_COUNT; i++) {
        if (config_of(h, i) & PMP_LOCK) {
            return true;
        }
    }
    return false;
}

static bool is_locked(const struct hart *h, unsigned entry)
{
    return (config_of(h, entry) & PMP_LOCK) && !(h->csr.mseccfg & MSECCFG_RLB);
}

/* What a write of `config` makes of an entry's. */
static unsigned legal_config(const struct hart *h, unsigned entry, unsigned config)
{
    unsigned old = config_of(h, entry);
    if (is_locked(h, entry)) {
        return old;
    }
    if (!(h->csr.mseccfg & MSECCFG_MML)) {
        bool is_reserved = (config & W) && !(config & R);
        return is_reserved ? config & ~(unsigned)W : config;
    }
    bool is_new_code = (config & PMP_LOCK) && (rules[rule_of(config)].machine & X);
    return is_new_code && !(h->csr.mseccfg & MSECCFG_RLB) ? old : config;
}

void pmp_write_config(struct hart *h, uint32_t index, uint32_t value)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) {
        word |= (uint32_t)legal_config(h, 4 * index + i, value >> 8 * i & 0xff) << 8 * i;
    }
    h->csr.pmpcfg[index] = word;
    h->pmp.is_stale = true;
}

void pmp_write_address(struct hart *h, uint32_t index, uint32_t value)
{
    unsigned next = index + 1;
    bool is_next_bound =
        next < PMP_ENTRIES_COUNT && is_locked(h, next) && match_of(config_of(h, next)) == MATCH_TOR;
    if (!is_locked(h, index) && !is_next_bound) {
        h->csr.pmpaddr[index] = value;
        h->pmp.is_stale = true;
    }
}

/* MML and MMWP stay until reset; RLB cannot come back once something is locked. */
void pmp_write_seccfg(struct hart *h, uint32_t value)
{
    uint32_t old = h->csr.mseccfg;
    uint32_t bypass = (old & MSECCFG_RLB) || !has_lock(h) ? value & MSECCFG_RLB : 0;
    h->csr.mseccfg = ((old | value) & (MSECCFG_MML | MSECCFG_MMWP)) | bypass;
    h->pmp.is_stale = true;
}

static void forget_entry(struct hart *h, const struct pmp_entry *entry, bool is_m_changed)
{
    if (entry->is_on) {
        view_forget(h, MODE_U, entry->first, entry->last);
    }
    if (entry->is_on && is_m_changed) {
        view_forget(h, MODE_M, entry->first, entry->last);
    }
}

static bool is_same(const struct pmp_entry *a, const struct pmp_entry *b)
{
    return a->is_on == b->is_on && a->config == b->config && a->first == b->first &&
           a->last == b->last;
}

void pmp_sync(struct hart *h)
{
    if (!h->pmp.is_stale) {
        return;
    }
    const struct pmp before = h->pmp;
    h->pmp = (struct pmp){.seccfg = h->csr.mseccfg};
    h->pmp.binds_m = has_lock(h) || (h->csr.mseccfg & (MSECCFG_MML | MSECCFG_MMWP));
    for (unsigned i = 0; i < PMP_ENTRIES_COUNT; i++) {
        h->pmp.entries[i] = entry_of(h, i);
        h->pmp.is_on |= h->pmp.entries[i].is_on;
    }
    bool is_m_changed = before.binds_m || h->pmp.binds_m;
    if (before.seccfg != h->pmp.seccfg) {
        view_forget(h, MODE_U, 0, ~0u);
        view_forget(h, MODE_M, 0, ~0u);
    }
    for (unsigned i = 0; i < PMP_ENTRIES_COUNT; i++) {
        if (!is_same(&before.entries[i], &h->pmp.entries[i])) {
            forget_entry(h, &before.entries[i], is_m_changed);
            forget_entry(h, &h->pmp.entries[i], is_m_changed);
        }
    }
}
