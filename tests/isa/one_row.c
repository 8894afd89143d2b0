/* one_row.c - run the instructions that test_one_row.py adds, with everything made of the tables */
/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"
#include "isa/isa.h"
#include "os/map.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CODE = 0x1000, DATA = 0x2004, A0 = 10, A1, A2 };

static unsigned page(void *context, uint32_t index)
{
    (void)context;
    return index == 1 || index == 2 ? PAGE_READ | PAGE_WRITE | PAGE_EXECUTE : 0;
}

/* Prints how each word of the program reads, encodes it again, and runs it all. */
int main(void)
{
    static const uint32_t program[] = {
        0x08c5f533, /* packh a0, a1, a2 */
        0x0005a60b, /* lx a2, 0(a1) */
        0x00c6142b, /* bodd a2, a2, . + 8 */
        0x00150513, /* addi a0, a0, 1 */
        0x0000006f, /* j . */
    };
    const struct bus bus = {.page = page};
    void *memory;
    struct hart *h;
    check(os_reserve(GiB(8), &memory) == 0);
    check(os_map_zero((uint8_t *)memory + CODE, 0x2000, OS_READ | OS_WRITE) == 0);
    check(hart_create(&bus, memory, &h) == 0);
    check(hart_allow_code(h, CODE, 0x1000) == 0);
    memcpy((uint8_t *)memory + CODE, program, sizeof program);
    memcpy((uint8_t *)memory + DATA, &(uint32_t){0x87}, 4);
    hart_reset(h, CODE);
    h->x[A1] = DATA;
    h->x[A2] = 0x3000;
    for (uint32_t i = 0; i < ARRAY_COUNT(program); i++) {
        char text[ISA_TEXT_MAX];
        struct insn insn;
        uint32_t again = 0;
        isa_disassemble(program[i], CODE + 4 * i, text);
        check(isa_decode(program[i], &insn));
        check(isa_encode(&insn, &again) && again == program[i]);
        printf("%s\n", text);
    }
    enum hart_exit exit = hart_run(h, 100);
    printf("exit %d pc %" PRIx32 " a0 %" PRIx32 " a2 %" PRIx32 " cycles %" PRIu64 "\n", (int)exit,
           h->pc, h->x[A0], h->x[A2], h->cycles);
    hart_destroy(h);
    return 0;
}
