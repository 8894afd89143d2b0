/* internal.h - the machine's own state, shared by its devices, semihosting and run loop */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/engine.h"
#include "machine/machine.h"

/* What the bus asked of the run loop. */
enum request { REQUEST_NONE, REQUEST_POWER_DOWN, REQUEST_RESET };

enum { GUEST_FILES_MAX = 16, GUEST_FILE_FIRST = 4 /* the handle of the first */ };

/* A file of the user's folder that the guest has opened. */
struct guest_file {
    int fd;
    bool is_open;
    uint64_t at;
};

struct machine {
    struct machine_config config;
    uint8_t *memory; /* 4 GiB of address space, with a guard behind it; owned */
    struct hart *hart;
    const struct image *image;
    uint32_t entry;
    uint32_t in_len;
    uint32_t in_at;          /* how much of IN semihosting has read */
    uint32_t features_at;    /* and of `:semihosting-features` */
    uint32_t semihost_errno; /* why its last refusal was */
    struct guest_file files[GUEST_FILES_MAX];
    uint32_t meta_len;
    uint32_t meta_reply_len;
    uint32_t out_len;
    bool has_out_len; /* the guest declared it */
    enum boot_reason boot;
    enum request request;
    uint32_t exit_code;
};

/* The bus of the hart: plain memory by window, devices by dev.def. */
extern const struct bus machine_bus;
/* Performs the semihosting call of the hart's a0 and a1 (RISC-V semihosting 0.2). */
enum bus_result machine_semihost(void *context, uint32_t *ret_bytes);
/* Files that a guest has opened and not closed last until its reset. */
void semihost_close_files(struct machine *m);
void machine_console(struct machine *m, const void *bytes, size_t len);
void machine_power_down(struct machine *m, uint32_t exit_code);
