/* disassemble.c - print standard input as instructions, one `address text` a line, for the tests */
/* SPDX-License-Identifier: MIT */
#include "isa/isa.h"
#include <inttypes.h>
#include <stdio.h>

enum { BYTES_MAX = 1 << 20 };

int main(void)
{
    static uint8_t bytes[BYTES_MAX + 4]; /* the last parcel is read as half of a word */
    size_t len = fread(bytes, 1, BYTES_MAX, stdin);
    for (uint32_t pc = 0; pc + 2 <= len;) {
        uint32_t low = bytes[pc] | (uint32_t)bytes[pc + 1] << 8;
        uint32_t high = bytes[pc + 2] | (uint32_t)bytes[pc + 3] << 8;
        char text[ISA_TEXT_MAX];
        unsigned size = isa_disassemble(low | high << 16, pc, text);
        printf("%" PRIx32 " %s\n", pc, text);
        pc += size;
    }
    return 0;
}
