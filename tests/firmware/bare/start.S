/* start.S - the first instructions, at the very start of .text: linked before all else */
/* SPDX-License-Identifier: MIT */
        .globl  _start
_start: la      sp, _end + 0x10000
        andi    sp, sp, -16
        jal     start
