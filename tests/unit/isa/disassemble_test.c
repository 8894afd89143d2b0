/* disassemble_test.c - names, numbers and the form of a line; tests/isa compares with objdump */
/* SPDX-License-Identifier: MIT */
#include "isa/internal.h"
#include "isa/isa.h"
#include "test.h"
#include <string.h>

TEST(disassemble, prints_each_kind_of_operand)
{
    static const struct {
        uint32_t word;
        const char *text;
    } cases[] = {
        {0x80058513, "addi\ta0,a1,-2048"},
        {0x01f59513, "slli\ta0,a1,0x1f"},
        {0xfffff537, "lui\ta0,0xfffff"},
        {0xffc12503, "lw\ta0,-4(sp)"},
        {0xfea12e23, "sw\ta0,-4(sp)"},
        {0xfeb50ce3, "beq\ta0,a1,0x1ffffff8"},
        {0x008000ef, "jal\tra,0x20000008"},
        {0xffc500e7, "jalr\tra,-4(a0)"},
        {0x1605a52f, "lr.w.aqrl\ta0,(a1)"},
        {0x1ab6252f, "sc.w.rl\ta0,a1,(a2)"},
        {0x04b6252f, "amoadd.w.aq\ta0,a1,(a2)"},
        {0x30059573, "csrrw\ta0,mstatus,a1"},
        {0x7c01d573, "csrrwi\ta0,0x7c0,3"},
        {0x0310000f, "fence\trw,w"},
        {0x0ff0000f, "fence\tiorw,iorw"},
        {0x0000000f, "fence\tunknown,unknown"},
        {0x0000100f, "fence.i"},
        {0x30200073, "mret"},
        {0xffffffff, ".4byte\t0xffffffff"},
        {0xffff0001, "c.nop"},
        {0xffff000d, "c.nop\t3"},
        {0xffff717d, "c.addi16sp\tsp,-16"},
        {0xffff757d, "c.lui\ta0,0xfffff"},
        {0xffffa011, "c.j\t0x20000004"},
        {0xffff9c79, ".2byte\t0x9c79"},
        {0x60051513, "clz\ta0,a0"},
        {0x0ec5d533, "czero.eqz\ta0,a1,a2"},
        {0xffff83c0, "c.lbu\ts0,1(a5)"},
        {0xffff9de1, "c.zext.b\ta1"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[ISA_TEXT_MAX];
        assert_int_equal(isa_disassemble(cases[i].word, 0x20000000, text), isa_size(cases[i].word));
        assert_string_equal(text, cases[i].text);
    }
}

TEST(disassemble, wraps_targets_at_4_gib)
{
    char text[ISA_TEXT_MAX];
    isa_disassemble(0x008000ef, 0xfffffffc, text);
    assert_string_equal(text, "jal\tra,0x4");
}

TEST(disassemble, names_every_csr_of_the_table)
{
    static const struct {
        uint32_t number;
        uint32_t count;
    } csrs[] = {
#define CSR(name, number, count, kind, reset, writable, section, text) {number, count},
#include "isa/csr.def"
#undef CSR
    };
    for (size_t i = 0; i < ARRAY_COUNT(csrs); i++) {
        for (uint32_t n = 0; n < csrs[i].count; n++) {
            assert_non_null(isa_csr_name(csrs[i].number + n));
        }
    }
    assert_string_equal(isa_csr_name(0x323), "mhpmevent3");
    assert_string_equal(isa_csr_name(0xb1f), "mhpmcounter31");
    assert_string_equal(isa_csr_name(0xb83), "mhpmcounter3h");
    assert_string_equal(isa_csr_name(0x3a3), "pmpcfg3");
    assert_string_equal(isa_csr_name(0x3b0), "pmpaddr0");
    assert_string_equal(isa_csr_name(0x3bf), "pmpaddr15");
    assert_null(isa_csr_name(0x322));
    assert_null(isa_csr_name(0x340 + 4096));
}

TEST(disassemble, names_causes_and_registers)
{
    /* Privileged specification 1.12, table 3.6; what is reserved or of S mode has no words. */
    static const char *const causes[] = {
        "instruction address misaligned",
        "instruction access fault",
        "illegal instruction",
        "breakpoint",
        "load address misaligned",
        "load access fault",
        "store/AMO address misaligned",
        "store/AMO access fault",
        "environment call from U-mode",
        "unknown cause",
        "unknown cause",
        "environment call from M-mode",
        "unknown cause",
    };
    for (uint32_t cause = 0; cause < ARRAY_COUNT(causes); cause++) {
        assert_string_equal(isa_cause_text(cause), causes[cause]);
    }
    assert_string_equal(isa_cause_text(0x80000003), "machine software interrupt");
    assert_string_equal(isa_cause_text(0x80000007), "machine timer interrupt");
    assert_string_equal(isa_cause_text(0x8000000b), "machine external interrupt");
    assert_string_equal(isa_cause_text(0x80000005), "unknown cause");
    assert_string_equal(isa_register_name(0), "zero");
    assert_string_equal(isa_register_name(10), "a0");
    assert_string_equal(isa_register_name(31), "t6");
}
