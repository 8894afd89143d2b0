/* registers.S - tasks that fill every register and see to it that each stays */
/* SPDX-License-Identifier: MIT */
        .equ    ROUNDS, 10000
        .equ    CALL_LOG, 4
        .equ    CALL_EXIT, 5

        .macro  keeper name, base
        .globl  \name
\name:  .irp    r, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
        li      x\r, \base + \r
        .endr
        .irp    r, 23, 24, 25, 26, 27, 28, 29
        li      x\r, \base + \r
        .endr
        li      x30, ROUNDS
1:      .irp    r, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
        li      x31, \base + \r
        bne     x\r, x31, 2f
        .endr
        .irp    r, 23, 24, 25, 26, 27, 28, 29
        li      x31, \base + \r
        bne     x\r, x31, 2f
        .endr
        addi    x30, x30, -1
        bnez    x30, 1b
2:      mv      a1, x30                 /* 0, or the rounds left when a register was another */
        la      a0, 3f
        li      a7, CALL_LOG
        ecall
        li      a7, CALL_EXIT
        ecall
3:      .string "\name had this many rounds left:"
        .balign 4
        .endm

        .text
        keeper  keeper_a, 0x11000000
        keeper  keeper_b, 0xee000700
