/* backtrace.c - goes from caller to caller, as long as what it finds can be true */
/* SPDX-License-Identifier: MIT */
#include "machine/backtrace.h"

#include "isa/isa.h"
#include "machine/unwind.h"

enum { X_RA = 1, X_SP = 2 };

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

static bool read_memory(void *context, uint32_t address, uint32_t *ret_word)
{
    return machine_read_word(context, address, ret_word);
}

/* A frame without a stack of its own is only where no other was called: the first. */
static bool step_by_tables(struct unwind *u, bool is_first, struct unwind_registers *registers)
{
    uint32_t sp = registers->x[X_SP];
    return unwind_step(u, is_first ? registers->pc : registers->pc - 1, registers) &&
           is_behind_call(u->image, registers->pc) &&
           (registers->x[X_SP] > sp || (is_first && registers->x[X_SP] == sp));
}

void backtrace_take(struct machine *m, const struct image *image, const struct stop *stop,
                    struct backtrace *ret_trace)
{
    struct unwind u = {image, read_memory, m, UNWIND_WORK_MAX};
    struct unwind_registers registers = {.pc = stop->mepc};
    struct image_code code;
    memcpy(registers.x, stop->x, sizeof registers.x);
    *ret_trace = (struct backtrace){.count = 1, .pcs = {stop->mepc}};
    bool is_found = step_by_tables(&u, true, &registers);
    if (!is_found && backtrace_has_caller(image, stop->mepc, stop->x[X_RA])) {
        ret_trace->pcs[ret_trace->count++] = stop->x[X_RA];
        /* Outside of all code nothing has run since the call: the registers are the caller's. */
        if (find_code(image, stop->mepc + 1, &code)) {
            return;
        }
        memcpy(registers.x, stop->x, sizeof registers.x);
        registers.pc = stop->x[X_RA];
        is_found = step_by_tables(&u, false, &registers);
    }
    while (is_found && ret_trace->count < BACKTRACE_FRAMES_MAX) {
        ret_trace->pcs[ret_trace->count++] = registers.pc;
        is_found = step_by_tables(&u, false, &registers);
    }
}

bool backtrace_symbol(const struct image *image, const struct backtrace *trace, uint32_t index,
                      struct span *ret_name, uint32_t *ret_offset)
{
    uint32_t back = index > 0;
    bool is_found = image_symbol(image, trace->pcs[index] - back, ret_name, ret_offset);
    if (is_found) {
        *ret_offset += back;
    }
    return is_found;
}
