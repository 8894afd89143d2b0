/* debug.h - a machine under a debugger: points, motions forward and back, registers, memory */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: debug_create (on a machine that was reset) -> debug_begin a motion -> debug_go until
 * it is not DEBUG_BUSY, or debug_interrupt -> look, change, begin again -> debug_destroy.
 * Nothing here changes the run: points write no memory, the meter counts as without a debugger,
 * and only what the debugger itself writes (debug_set_*, debug_write) makes a difference. */
#include "machine/history.h"

enum { DEBUG_POINTS_MAX = 64, DEBUG_POINT_BYTES_MAX = 1024 };

/* In the order of the remote protocol's Z packets. */
enum point_kind {
    POINT_SOFT_BREAK,
    POINT_HARD_BREAK, /* the same, under another name */
    POINT_WRITE,      /* that changes something, or is an AMO or SC */
    POINT_READ,       /* by a load, LR or AMO; not by a semihosting call */
    POINT_ACCESS,     /* either */
    POINT_KINDS
};

struct point {
    enum point_kind kind;
    uint32_t address;
    uint32_t len; /* of a watch, 0 for a break */
};

enum motion { MOTION_STEP, MOTION_CONTINUE, MOTION_BACK_STEP, MOTION_BACK_CONTINUE };

/* As GDB expects it of RISC-V, a watch stops before the instruction that touches its place, and the
 * debugger takes it away to step over. What nobody can tell before, a semihosting call or a reset,
 * is told behind it. */
enum debug_event {
    DEBUG_BUSY,    /* not there yet: call debug_go again */
    DEBUG_STEPPED, /* a step is done */
    DEBUG_POINT,   /* a break is reached; or a watched place is about to be touched, which on a
                    * way back is the moment behind the instruction that did */
    DEBUG_ENDED,   /* the run ended: debug_stop */
    DEBUG_BEGIN,   /* a way back came to the earliest moment there is */
};

struct debug;

/* Returns owned; keeps `m`. ERR_NO_MEMORY. */
MUST_CHECK int debug_create(struct machine *m, struct debug **ret_debug);
/* Accepts NULL. */
void debug_destroy(struct debug *d);

/* ERR_QUOTA over DEBUG_POINTS_MAX, ERR_TOO_BIG for a watch of no or over DEBUG_POINT_BYTES_MAX
 * bytes, ERR_ARGUMENT where they are not all in windows. The same point twice is one. */
MUST_CHECK int debug_add(struct debug *d, const struct point *point);
/* One that is not there is no error. */
void debug_remove(struct debug *d, const struct point *point);

/* Chooses the motion that debug_go carries out. */
void debug_begin(struct debug *d, enum motion motion);
/* A part of the motion, some milliseconds at most. The cycle cap holds as ever; the wall-clock cap
 * counts only what ran as fast as without a debugger, neither stops nor steps that look for points
 * nor ways back. */
MUST_CHECK enum debug_event debug_go(struct debug *d);
/* The motion ends at the instruction where it stands. */
void debug_interrupt(struct debug *d);
/* What DEBUG_POINT was about. */
struct point debug_hit(const struct debug *d);
/* Has the run ended? Until a change by hand or a way back, all that can follow is this stop. */
bool debug_is_ended(const struct debug *d);
/* The present state as a stop; its halt is how the run ended, if it did. */
struct stop debug_stop(const struct debug *d);
/* How far back one can go, and what that takes. */
struct history_size debug_history(const struct debug *d);

/* Index 1 to 31 is x1 to x31, 32 the pc (even); others are ignored. */
void debug_set_register(struct debug *d, unsigned index, uint32_t value);
/* As an instruction at this moment reads it; false where there is none. */
MUST_CHECK bool debug_csr(const struct debug *d, uint32_t number, uint32_t *ret_value);
/* False where there is none or it can only be read. The next instruction sees the value. */
MUST_CHECK bool debug_set_csr(struct debug *d, uint32_t number, uint32_t value);
/* Copies from windows; the number of bytes up to the first outside of them. Devices are not read,
 * since reading may change them. */
size_t debug_read(const struct debug *d, uint32_t address, void *bytes, size_t len);
/* Writes where a guest may write, all or nothing: false elsewhere. */
MUST_CHECK bool debug_write(struct debug *d, uint32_t address, struct span bytes);
