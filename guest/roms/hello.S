/* hello.S - greets in assembly: answers `Hello, ` and the first line of the request's body */
/* SPDX-License-Identifier: MIT */
/* The SDK's start-up code calls main; a program with nothing of ours defines _start and ends with
 * a store to MOTE_POWER_FINISH. */
#include <mote.h>

        .text
        .global main
main:   li      t0, MOTE_OUT_BASE       /* t0: where the next byte goes */
        la      t1, greeting
1:      lbu     t2, 0(t1)
        beqz    t2, 2f
        sb      t2, 0(t0)
        addi    t0, t0, 1
        addi    t1, t1, 1
        j       1b

2:      li      t1, MOTE_IN_BASE        /* t1: the next byte of IN, t3: its end */
        li      t3, MOTE_LAMBDA_IN_LEN
        lw      t3, 0(t3)
        add     t3, t3, t1
        li      t4, '\n'
        li      t5, MOTE_OUT_BASE + MOTE_OUT_SIZE - 2
3:      bgeu    t1, t3, 4f
        bgeu    t0, t5, 4f              /* room for what follows */
        lbu     t2, 0(t1)
        beq     t2, t4, 4f
        sb      t2, 0(t0)
        addi    t0, t0, 1
        addi    t1, t1, 1
        j       3b

4:      li      t2, '!'
        sb      t2, 0(t0)
        sb      t4, 1(t0)
        addi    t0, t0, 2
        li      t1, MOTE_OUT_BASE
        sub     t0, t0, t1
        li      t1, MOTE_LAMBDA_OUT_LEN /* so many bytes count */
        sw      t0, 0(t1)
        li      a0, 0                   /* the exit code */
        ret

        .section .rodata
greeting:
        .string "Hello, "
