/* backtrace.c - tells a return address from what else x1 may hold */
/* SPDX-License-Identifier: MIT */
#include "machine/backtrace.h"

#include "isa/isa.h"

enum { X_RA = 1 };

/* The code that ends at `address` or goes on there. */
static bool find_code(const struct image *image, uint32_t address, struct image_code *ret_code)
{
    uint32_t number = 0;
    while (image_next_code(image, &number, ret_code)) {
        if (address > ret_code->address && address - ret_code->address <= ret_code->bytes.len) {
            return true;
        }
    }
    return false;
}

/* Whether the `size` bytes before `end` are one instruction, and that a call. */
static bool is_call(const uint8_t *end, unsigned size)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < size; i++) {
        word |= (uint32_t)end[(int)i - (int)size] << (8 * i);
    }
    struct insn insn;
    return isa_size(word) == size && isa_decode(word, &insn) &&
           (insn.op == OP_jal || insn.op == OP_jalr) && insn.rd == X_RA;
}

static bool is_behind_call(const struct image *image, uint32_t ra)
{
    struct image_code code;
    if (ra % 2 != 0 || !find_code(image, ra, &code)) {
        return false;
    }
    size_t at = ra - code.address;
    return (at >= 4 && is_call(code.bytes.data + at, 4)) ||
           (at >= 2 && is_call(code.bytes.data + at, 2));
}

/* Where the function that covers `address` begins; false where nothing is known of it. */
static bool begin_of(const struct image *image, uint32_t address, uint32_t *ret_begin)
{
    struct span name;
    uint32_t offset;
    if (!image_symbol(image, address, &name, &offset)) {
        return false;
    }
    *ret_begin = address - offset;
    return true;
}

bool backtrace_has_caller(const struct image *image, uint32_t pc, uint32_t ra)
{
    uint32_t caller = 0;
    uint32_t function = 0;
    /* The call may be its function's last instruction, so the byte before ra counts. */
    if (!is_behind_call(image, ra) || !begin_of(image, ra - 1, &caller)) {
        return false;
    }
    return !begin_of(image, pc, &function) || function != caller;
}
