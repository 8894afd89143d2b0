/* embed_test.c - the engine runs a guest by its public header alone, with no machine around it */
/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"
#include "os/map.h"

#include "assemble.h"
#include <string.h>

enum { CODE = 0x10000 };

static unsigned page(void *context, uint32_t index)
{
    (void)context;
    return index == CODE / PAGE_SIZE ? PAGE_READ | PAGE_EXECUTE : 0;
}

TEST(embed, adds_up_to_ten_without_a_machine)
{
    const uint32_t program[] = {encode(OP_addi, A0, ZERO, 0, 10), encode(OP_add, A1, A1, A0, 0),
                                encode(OP_addi, A0, A0, 0, -1), encode(OP_bne, 0, A0, ZERO, -8),
                                encode(OP_jal, ZERO, 0, 0, 0)};
    const struct bus bus = {.page = page};
    const size_t room = GiB(8);
    struct hart *hart;
    void *memory;
    assert_int_equal(os_reserve(room, &memory), 0);
    uint8_t *code = (uint8_t *)memory + CODE;
    assert_int_equal(os_map_zero(code, PAGE_SIZE, OS_READ | OS_WRITE), 0);
    memcpy(code, program, sizeof program);
    assert_int_equal(hart_create(&bus, memory, &hart), 0);
    assert_int_equal(hart_allow_code(hart, CODE, PAGE_SIZE), 0);
    hart_reset(hart, CODE);
    assert_int_equal(hart_run(hart, 1000), HART_SELF_JUMP);
    assert_int_equal(hart->x[A1], 55);
    assert_int_equal(hart->cycles, 31);
    hart_destroy(hart);
    os_unmap(memory, room);
}
