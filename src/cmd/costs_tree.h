/* costs_tree.h - functions and stacks as costs.c counts and flames.c draws them */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "cmd/costs.h"
#include "machine/symbols.h"

/* Limits of what a guest can make grow. Beyond them cycles go to the caller's box; the table stays
 * exact. */
enum {
    COSTS_DEPTH_MAX = 200,      /* boxes on top of each other */
    COSTS_NODES_MAX = 1 << 17,  /* boxes */
    COSTS_FRAMES_MAX = 1 << 21, /* calls that have not returned: as many as fit into RAM */
};

struct function {
    struct span name; /* borrowed from the image */
    uint32_t begin;
    uint32_t active;  /* how often it is on the stack now */
    uint64_t entered; /* cycles when the outermost of those began */
    uint64_t self;
    uint64_t total; /* recursion is counted once */
    uint64_t calls;
};

/* A function at the end of one chain of callers. A node comes after its parent; 0 is the root. */
struct node {
    uint32_t function;
    uint32_t parent;
    uint32_t first; /* of its children; 0 for none, as below */
    uint32_t last;
    uint32_t next; /* of its parent's children */
    uint32_t depth;
    uint64_t self;
    uint64_t total; /* from costs_close on */
    uint64_t calls;
};

struct frame {
    uint32_t node;
    uint32_t function;
    uint32_t goes_on; /* where its caller does */
    uint32_t sp;      /* when it was entered */
    bool is_trap;
};

struct costs {
    struct symbols symbols;
    uint32_t *numbers; /* of the function at each of the symbols' `begins`, 0 where not known yet */
    uint32_t *ids;     /* of each halfword's function, counted from 1; 0: not looked up yet */
    struct function *functions; /* the first is for addresses that no symbol covers */
    struct node *nodes;
    uint32_t *children; /* nodes by parent and function, hashed; 0: free */
    struct frame *frames;
    uint32_t functions_count;
    uint32_t functions_size;
    uint32_t nodes_count;
    uint32_t nodes_size;
    uint32_t frames_count;
    uint32_t frames_size;
    uint64_t cycles;
    bool has_folded; /* some boxes would have passed a limit */
    int err;         /* why it is incomplete */
};
