/* generate.h - a random program in the making, for the two files that write it */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "isa/isa.h"

enum { BASE = (int)0x80000000u, DATA = 0x100000, ITEMS_MAX = 4096, AHEAD_MAX = 12 };
enum { RA = 1, SP, T0 = 5, T1, T2, S0, S1, T3 = 28, T4, T5, T6 };

/* One instruction, and where it jumps to. */
struct item {
    uint32_t word;
    uint8_t size;
    uint8_t ahead;  /* jumps to the item so many further on; 0 for none */
    uint8_t origin; /* of an offset: so many items before this one */
    uint8_t back;   /* jumps to the item so many before it; 0 for none */
    bool is_inside; /* belongs to the item before it: nothing jumps here */
};

struct program {
    uint64_t seed;
    bool is_privileged; /* changes modes, memory protection and interrupts (privileged.c) */
    uint32_t seccfg;    /* mseccfg of a privileged one's start */
    size_t count;
    struct item items[ITEMS_MAX];
};

/* A random number below `below`, at most 2^31. */
uint32_t pick(struct program *p, uint32_t below);
struct item *put_word(struct program *p, uint32_t word);
struct item *put(struct program *p, struct insn insn);
/* Two instructions. */
void put_constant(struct program *p, uint8_t rd, uint32_t value);

/* privileged.c */

/* The trap handler, and the jump over it that the program begins with. */
void put_privileged_handler(struct program *p);
/* Entries of the PMP for code and devices, an mseccfg, and code to call at ISLANDS. */
void put_privileged_start(struct program *p);
void put_privileged(struct program *p);
/* Machine mode again, with its own loads and stores. */
void put_privileged_end(struct program *p);
