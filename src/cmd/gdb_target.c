/* gdb_target.c - target.xml: which registers a machine has, for a debugger */
/* SPDX-License-Identifier: MIT */
#include "cmd/gdb_internal.h"
#include "isa/isa.h"

enum { CSRS_COUNT = 4096 };

static const char *register_type(unsigned index)
{
    static const char *const types[32] = {
        [1] = "code_ptr", [2] = "data_ptr", [3] = "data_ptr", [4] = "data_ptr", [8] = "data_ptr"};
    return types[index] ? types[index] : "int";
}

static void put_csrs(const struct debug *d, struct buf *out)
{
    for (uint32_t number = 0; number < CSRS_COUNT; number++) {
        const char *name = isa_csr_name(number);
        uint32_t value;
        if (name && debug_csr(d, number, &value)) {
            buf_print(out, "<reg name=\"%s\" bitsize=\"32\" regnum=\"%u\"/>\n", name,
                      GDB_FIRST_CSR + (unsigned)number);
        }
    }
}

/* Without an `osabi` a debugger made for Linux steps as Linux needs it: by breakpoints that it puts
 * behind an instruction, and so past the handler of an `ecall`. */
void gdb_put_target(const struct debug *d, struct buf *out)
{
    buf_puts(out, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                  "<target>\n<architecture>riscv:rv32</architecture>\n<osabi>none</osabi>\n"
                  "<feature name=\"org.gnu.gdb.riscv.cpu\">\n");
    for (unsigned i = 0; i < 32; i++) {
        buf_print(out, "<reg name=\"%s\" bitsize=\"32\" type=\"%s\" regnum=\"%u\"/>\n",
                  isa_register_name(i), register_type(i), i);
    }
    buf_print(out,
              "<reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\" regnum=\"%d\"/>\n</feature>\n",
              GDB_PC);
    buf_puts(out, "<feature name=\"org.gnu.gdb.riscv.csr\">\n");
    put_csrs(d, out);
    buf_puts(out, "</feature>\n</target>\n");
}
