/* place.c - faults in words: what went wrong, and what lies at an address */
/* SPDX-License-Identifier: MIT */
#include "isa/isa.h"
#include "machine/internal.h"

#include <stdio.h>

enum cause {
#define CAUSE(name, number, text) CAUSE_##name = (number),
#include "isa/cause.def"
#undef CAUSE
};

const char *machine_cause_text(uint32_t mcause)
{
    return isa_cause_text(mcause);
}

const char *machine_place_text(enum profile profile, uint32_t address)
{
    static const struct {
        const char *name;
        uint32_t base;
        uint32_t size;
    } places[] = {
#define DEVICE(name, base, size, widths, text) {#name ": " text, base, size},
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    };
    const struct profile_row *p = machine_profile(profile);
    const struct window_row *window = window_at(p->windows, address);
    for (size_t i = 0; i < ARRAY_COUNT(places) && p->has_devices; i++) {
        if (address - places[i].base < places[i].size) {
            return places[i].name;
        }
    }
    return window ? window->name : "unmapped";
}

/* Causes without an address leave 0 in mtval, which is none; so may those that a guest made up. */
void machine_mtval_text(const struct stop *stop, char ret_text[MTVAL_TEXT_MAX])
{
    switch (stop->mcause) {
    case CAUSE_ILLEGAL:
        snprintf(ret_text, MTVAL_TEXT_MAX, "instruction 0x%08x", stop->mtval);
        break;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_FETCH_FAULT:
    case CAUSE_BREAKPOINT:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_LOAD_FAULT:
    case CAUSE_STORE_MISALIGNED:
    case CAUSE_STORE_FAULT:
        snprintf(ret_text, MTVAL_TEXT_MAX, "address 0x%08x (%s)", stop->mtval,
                 machine_place_text(stop->profile, stop->mtval));
        break;
    default:
        snprintf(ret_text, MTVAL_TEXT_MAX, "mtval 0x%08x", stop->mtval);
        break;
    }
}
