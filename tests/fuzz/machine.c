/* machine.c - whatever bytes run as an image, the machine stops in order and can repeat it */
/* SPDX-License-Identifier: MIT */
#include "machine/machine.h"

#include "base/check.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t cycles_max = 3000;
/* What one semihosting call may add to the meter: a window's bytes. */
static const uint64_t payload_cycles_max = RAM_SIZE / 16;

static void count_console(void *context, struct span bytes)
{
    size_t *total = context;
    for (size_t i = 0; i < bytes.len; i++) {
        *total += bytes.data[i] + 1u;
    }
}

/* The input's last word, as an option would give it, or what the ELF names. */
static uint32_t tohost_of(const struct image *image)
{
    uint32_t address = 0;
    if (image->file.len >= sizeof address) {
        memcpy(&address, image->file.data + image->file.len - sizeof address, sizeof address);
    }
    return address && machine_check_tohost(address, NULL) == 0 ? address : image->tohost;
}

/* A machine with the image in it and the same bytes in IN. */
static struct machine *start(const struct image *image, size_t *console)
{
    struct machine *m;
    struct msg msg;
    const struct machine_config config = {.cycles_max = cycles_max,
                                          .tohost = tohost_of(image),
                                          .console = count_console,
                                          .console_context = console};
    check(machine_create(&config, &m) == 0);
    memcpy(machine_window(m, WINDOW_IN), image->file.data, image->file.len);
    machine_set_in_len(m, (uint32_t)image->file.len);
    check(machine_load(m, image, -1, &msg) == 0);
    machine_reset(m);
    return m;
}

static bool is_same(struct machine *a, struct machine *b)
{
    const uint8_t *dirty = machine_ram_dirty(a);
    if (memcmp(dirty, machine_ram_dirty(b), RAM_SIZE / PAGE_SIZE) != 0) {
        return false;
    }
    for (size_t page = 0; page < RAM_SIZE / PAGE_SIZE; page++) {
        size_t at = page * PAGE_SIZE;
        if (dirty[page] && memcmp(machine_window(a, WINDOW_RAM) + at,
                                  machine_window(b, WINDOW_RAM) + at, PAGE_SIZE) != 0) {
            return false;
        }
    }
    uint32_t len = machine_out_len(a);
    return len == machine_out_len(b) &&
           memcmp(machine_window(a, WINDOW_OUT), machine_window(b, WINDOW_OUT), len) == 0 &&
           machine_meta_reply_len(a) == machine_meta_reply_len(b);
}

static void check_stop(const struct stop *stop)
{
    check(stop->cycles < cycles_max + 1 + payload_cycles_max);
    check(stop->instructions <= stop->cycles);
    check(stop->halt == HALT_CYCLES ? stop->cycles >= cycles_max : stop->halt != HALT_TIME);
    check(stop->pc % 2 == 0);
    check(stop->x[0] == 0);
    char text[MTVAL_TEXT_MAX];
    machine_mtval_text(stop, text);
    check(strlen(text) < sizeof text);
    check(machine_cause_text(stop->mcause)[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image image;
    struct msg msg;
    if (image_parse(span_of(data, size), IMAGE_AUTO, &image, &msg)) {
        return 0;
    }
    size_t console = 0, console_again = 0;
    struct machine *whole = start(&image, &console);
    struct machine *stepped = start(&image, &console_again);
    struct stop stop, again;
    machine_run(whole, &stop);
    check_stop(&stop);
    while (machine_step(stepped, &again)) {
        check(again.x[0] == 0);
    }
    check(memcmp(&stop.x, &again.x, sizeof stop.x) == 0);
    check(stop.halt == again.halt && stop.exit_code == again.exit_code && stop.pc == again.pc);
    check(stop.cycles == again.cycles && stop.instructions == again.instructions);
    check(stop.mcause == again.mcause && stop.mepc == again.mepc && stop.mtval == again.mtval);
    check(console == console_again);
    check(is_same(whole, stepped));
    machine_destroy(whole);
    machine_destroy(stepped);
    image_deinit(&image);
    return 0;
}
