/* internal.h - the machine's own state, shared by its devices, semihosting and run loop */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/engine.h"
#include "machine/machine.h"
#include "machine/plic.h"
#include "machine/uart.h"

/* What the bus asked of the run loop. */
enum request { REQUEST_NONE, REQUEST_POWER_DOWN, REQUEST_RESET, REQUEST_QUIT };

enum { GUEST_FILES_MAX = 16, GUEST_FILE_FIRST = 4 /* the handle of the first */ };

/* A file of the user's folder that the guest has opened. */
struct guest_file {
    int fd;
    bool is_open;
    uint64_t at;
};

/* What the finisher hears. */
enum { POWER_OFF = 0x5555, POWER_OFF_WITH_CODE = 0x3333, POWER_RESET = 0x7777 };

/* What counts against the wall-clock cap: the time in which the machine ran. */
struct wall_clock {
    uint64_t ran_ns;   /* counted so far */
    uint64_t since_ns; /* the moment from which to count on */
};

struct machine {
    struct machine_config config;
    const struct profile_row *profile;
    struct window_row windows[WINDOW_COUNT]; /* the profile's, fitted to the files */
    uint8_t *memory; /* 4 GiB of address space, with a guard behind it; owned */
    struct hart *hart;
    const struct image *image;
    uint32_t entry;
    bool has_begun; /* a bare machine has run its first instruction */
    uint32_t in_len;
    uint32_t in_at;          /* how much of IN semihosting has read */
    uint32_t features_at;    /* and of `:semihosting-features` */
    uint32_t semihost_errno; /* why its last refusal was */
    struct guest_file files[GUEST_FILES_MAX];
    uint64_t files_changed; /* the meter behind the last call that changed any; cannot be undone */
    uint32_t meta_len;
    uint32_t meta_reply_len;
    uint32_t out_len;
    bool has_out_len; /* the guest declared it */
    enum boot_reason boot;
    struct uart uart;
    struct plic plic;
    uint32_t msip;
    uint32_t leds;
    struct span console_in; /* what of it is not on the UART's line yet; borrowed */
    bool is_input_over;
    struct wall_clock clock;
    enum request request;
    uint32_t exit_code;
    uint64_t console_from; /* output of instructions begun below this meter was shown before */
};

/* The bus of the hart: plain memory by window, devices by dev.def. */
extern const struct bus machine_bus;
/* Performs the semihosting call of the hart's a0 and a1 (RISC-V semihosting 0.2). */
enum bus_result machine_semihost(void *context, uint32_t *ret_bytes);
/* Files that a guest has opened and not closed last until its reset. */
void semihost_close_files(struct machine *m);
/* Performs the `ecall` of a bare machine: a0 = 0 prints the character a1, 1 the string at a1. */
enum bus_result machine_ecall(void *context, uint32_t *ret_bytes);
/* Finds the NUL of the string at `address`; false where it does not end in memory that the guest
 * may read. */
bool machine_string_len(struct machine *m, uint32_t address, uint32_t *ret_len);
/* Brings the interrupt lines to where the devices have them; after any change of these. */
void machine_update_lines(struct machine *m);
/* Takes in what has come by now; false where the run ends by it. */
bool machine_take_input(struct machine *m);
/* Waits for what may yet come in, at an `exit` of HART_WAIT or HART_SELF_JUMP; true where the hart
 * goes on by it. */
bool machine_await_input(struct machine *m, enum hart_exit exit);
/* The cycle count at which to look for input, ~0 for none. */
uint64_t machine_input_next(const struct machine *m);
/* What `wfi` asks before it skips time (struct bus). */
enum bus_result machine_wait(void *context, uint64_t ticks);
/* Could an interrupt of the UART, if it had one, reach the hart? */
bool machine_hears_uart(const struct machine *m);
/* Puts more of the console's input on the UART's line, where it has room. */
void machine_feed_uart(struct machine *m);
/* The device tree of `virt` (tools/tree.c). */
extern const struct span machine_tree;
/* Runs until the meter reaches `limit` or the cap, or sooner; true while the run has not ended. */
MUST_CHECK bool machine_advance(struct machine *m, uint64_t limit, enum halt *ret_halt);
/* Counts no time between here and the last look at the clock. */
void machine_start_clock(struct machine *m);
/* Looks at the clock: is the wall-clock cap reached? The cycle cap, where it is too, comes first.
 */
bool machine_is_out_of_time(struct machine *m);
/* What a run that ended by `halt` reports. */
void machine_describe(const struct machine *m, enum halt halt, struct stop *ret_stop);
void machine_console(struct machine *m, const void *bytes, size_t len);
void machine_power_down(struct machine *m, uint32_t exit_code);
