/* machine.h - one MCU: windows, devices, reset, and the run loop with its caps */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: machine_create -> machine_map_file / machine_window (fill the windows) ->
 * machine_load -> machine_reset -> machine_run -> read the windows, the stop and the lengths ->
 * machine_destroy. One machine belongs to one thread at a time; several live in one process.
 * What a guest does is never an error: machine_run tells it in `struct stop`. */
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "machine/image.h"
#include "machine/meta.h"
#include "machine/profile.h"

enum map_mode {
    MAP_PRIVATE_COPY, /* stores stay in this machine, the file is never written */
    MAP_IN_PLACE,     /* stores reach the file (rv32im's RAM and OUT) */
};

/* How a run ended (machine.md, "How a run ends"); rows of halt.def. */
enum halt {
#define HALT(name, text, word, exit) HALT_##name,
#include "machine/halt.def"
#undef HALT
};

/* The word for a halt in headers, logs and statistics: `power-down`, `cycles`, ... */
const char *halt_text(enum halt halt);

enum boot_reason { BOOT_COLD = 0, BOOT_WARM = 1 };

enum { INPUT_NONE = -1, INPUT_END = -2, INPUT_QUIT = -3 };

/* Where a run stands: a point of it that another run of the same machine has too. */
struct moment {
    uint64_t cycles;
    uint64_t mtime; /* tells apart what lies before and after a skip of time */
};

/* What comes in at the console while the machine runs, from outside of it; `next` and `read` say
 * when and what, so that a record of their answers replays the run. */
struct machine_input {
    /* The byte that has come in by now, or else comes within `wait_ns` of real time (~0: however
     * long it takes). INPUT_NONE: none; INPUT_END: none will ever come; INPUT_QUIT: end the run.
     * Where no byte `is_wanted`, as there is no room for it, none is given, only the others. */
    int (*read)(void *context, struct moment now, uint64_t wait_ns, bool is_wanted);
    /* The meter's count by which to ask for it, ~0 where that is not known before it is there. */
    uint64_t (*next)(void *context);
    void *context;
};

/* The bytes of a regular file that go over the start of a window. */
struct window_file {
    int fd;
    uint64_t size;
    enum map_mode mode;
};

struct os_folder;

enum { SEED_SIZE = 16 };

struct machine_config {
    enum profile profile;    /* `virt` where nothing is said */
    uint64_t cycles_max;     /* the cycle cap; reports and the lambda controller show it */
    uint64_t time_max_ns;    /* the wall-clock cap, 0 for none */
    uint8_t seed[SEED_SIZE]; /* as a number: its last digits first */
    uint32_t buttons;        /* that are held down, in the lambda controller */
    enum boot_reason boot;
    uint32_t tohost; /* address whose store ends the run, 0 for none */
    /* What semihosting is given beside the windows: a folder (borrowed; NULL: no files), arguments
     * divided by blanks (borrowed), and what SYS_TIME starts from, in seconds. */
    const struct os_folder *folder;
    struct span command_line;
    uint64_t epoch;
    /* Takes UART and semihosting error output; NULL drops it. `bytes` is borrowed. */
    void (*console)(void *context, struct span bytes);
    void *console_context;
    const struct machine_input *input; /* NULL: nothing comes in but machine_set_console_in's */
};

struct stop {
    enum profile profile; /* of the machine, for what lies at an address */
    enum halt halt;
    uint32_t exit_code; /* of a power down */
    uint64_t cycles;    /* exact, by the meter */
    uint64_t instructions;
    uint32_t pc; /* of the next instruction: a jump that never ends, what follows a wfi that does */
    uint32_t x[32];
    uint32_t mcause; /* these three hold the trap of a fault */
    uint32_t mepc;
    uint32_t mtval;
};

struct machine;

/* May the word at `address` be watched as `tohost`? ERR_ARGUMENT, naming the window, where its four
 * bytes are not all in one that a guest can write. */
MUST_CHECK int machine_check_tohost(const struct window_row *windows, uint32_t address,
                                    struct msg *msg);

/* Reserves the address space and maps every window as zero pages. Returns owned. ERR_ARGUMENT for a
 * `tohost` that machine_check_tohost refuses. */
MUST_CHECK int machine_create(const struct machine_config *config, struct machine **ret_machine);
/* Accepts NULL. */
void machine_destroy(struct machine *m);

/* Maps the first `file->size` bytes of a regular file over the start of a window, whose rest stays
 * zero pages (so no access goes past the file's end). ERR_TOO_BIG over the window's size; after a
 * failure the window is zero pages. The machine keeps no descriptor. */
MUST_CHECK int machine_map_file(struct machine *m, enum window window,
                                const struct window_file *file, struct msg *msg);
/* Gives a window of a fitted profile the size of a file of `bytes` (profile.h), which is at most
 * its row's; others stay as they are. Before the first run. */
void machine_fit_window(struct machine *m, enum window window, uint64_t bytes);
/* The machine's windows as they are now: WINDOW_COUNT rows. */
const struct window_row *machine_windows(const struct machine *m);
/* The host's view of a window, of its full size, writable by the host except where a file is
 * mapped read-only (in ROM and IN); valid until destroy. */
uint8_t *machine_window(struct machine *m, enum window window);

/* Lays an image out: ROM bytes now, RAM segments at each reset. `image` and the bytes it borrows
 * must outlive the machine. `fd` is the image's file (the machine keeps no descriptor), whose pages
 * are mapped where they lie right, unless it had to be decoded; -1 where there is none. */
MUST_CHECK int machine_load(struct machine *m, const struct image *image, int fd, struct msg *msg);

/* What the lambda controller tells the guest about its request. */
void machine_set_in_len(struct machine *m, uint32_t len);
void machine_set_meta_len(struct machine *m, uint32_t len);
/* And about its RAM, from the next reset on: what the config said where that was not known yet. */
void machine_set_boot(struct machine *m, enum boot_reason boot);

/* What comes in at the console (borrowed until the run is over): the UART has a byte as soon as the
 * guest looks for it (uart.h). */
void machine_set_console_in(struct machine *m, struct span bytes);

/* The reset pin: registers, counters, devices and RAM segments; other RAM stays. */
void machine_reset(struct machine *m);
/* Runs from where the hart stands to one of the halts. Where a mapped file loses its pages (SIGBUS,
 * os/bus.h), it does not come back. */
void machine_run(struct machine *m, struct stop *ret_stop);
/* Runs one instruction (or takes one trap); true while the run has not ended. For traces. The
 * wall-clock cap counts from the reset. */
MUST_CHECK bool machine_step(struct machine *m, struct stop *ret_stop);

/* The cycle cap that it was made with. */
uint64_t machine_cycles_max(const struct machine *m);
/* A CSR as the next instruction would read it; false where there is none. For traces. */
MUST_CHECK bool machine_csr(const struct machine *m, uint32_t number, uint32_t *ret_value);

/* Reads a word of memory that the guest can read, at any address; false elsewhere. */
MUST_CHECK bool machine_read_word(struct machine *m, uint32_t address, uint32_t *ret_word);

/* Length of the reply: as declared, or else up to OUT's last non-zero byte. */
uint32_t machine_out_len(const struct machine *m);
/* The LEDs as the guest has set them. */
uint32_t machine_leds(const struct machine *m);
/* Length that the guest declared for the headers in META's second half. */
uint32_t machine_meta_reply_len(const struct machine *m);

/* The specification's words for a trap's cause. */
const char *machine_cause_text(uint32_t mcause);
/* What lies at an address: a window, a device and what it is, or `unmapped`. */
const char *machine_place_text(enum profile profile, uint32_t address);

enum { MTVAL_TEXT_MAX = 160 };

/* A fault's mtval in words: `address 0x0c000000 (PLIC: ...)`, `instruction 0x00000000`, or for
 * causes that have neither (an ecall) `mtval 0x00000000`. */
void machine_mtval_text(const struct stop *stop, char ret_text[MTVAL_TEXT_MAX]);

/* RAM pages that a store, by guest, device or reset, may have changed since machine_create: one
 * byte a page, non-zero for dirty, as many as the RAM window has. */
const uint8_t *machine_ram_dirty(const struct machine *m);
