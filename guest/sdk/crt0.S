/* crt0.S - from the reset pin to main(), and from main() to exit() */
/* SPDX-License-Identifier: MIT */
#include <mote-machine.h>

        .section .text.init.enter, "ax"
        .global _start
_start:
        .option push
        .option norelax                 /* gp is what relaxed code counts from */
        la      gp, __global_pointer$
        .option pop
        la      sp, __stack
        la      tp, __tls_base
        la      t0, mote_trap
        csrw    mtvec, t0

        /* .preserve is zero on a cold boot and untouched on every other. */
        li      t0, MOTE_LAMBDA_BOOT
        lw      t0, 0(t0)
        bnez    t0, 1f
        la      a0, __preserve_start
        la      a1, __preserve_end
        call    clear

1:      /* .data gets its first values from ROM. Sections are multiples of 16 bytes. */
        la      a0, __data_start
        la      a1, __data_end
        la      a2, __data_source
2:      bgeu    a0, a1, 3f
        lw      t0, 0(a2)
        lw      t1, 4(a2)
        sw      t0, 0(a0)
        sw      t1, 4(a0)
        addi    a0, a0, 8
        addi    a2, a2, 8
        j       2b

3:      la      a0, __bss_start
        la      a1, __bss_end
        call    clear

        call    mote_stack_watch
        call    __libc_init_array       /* C++ constructors, __attribute__((constructor)) */
        li      a0, 1
        la      a1, arguments
        call    main
        call    exit                    /* does not return */

/* clear - zeroes a0 up to a1, both multiples of 16. It stores only where something is to be
 * zeroed: a page that nobody stores to need not be saved with the session. */
clear:
        bgeu    a0, a1, 2f
        lw      t0, 0(a0)
        lw      t1, 4(a0)
        lw      t2, 8(a0)
        lw      t3, 12(a0)
        or      t0, t0, t1
        or      t2, t2, t3
        or      t0, t0, t2
        beqz    t0, 1f
        sw      zero, 0(a0)
        sw      zero, 4(a0)
        sw      zero, 8(a0)
        sw      zero, 12(a0)
1:      addi    a0, a0, 16
        j       clear
2:      ret

/* mote_trap - where every trap goes. A jump to itself after an exception ends the run as a
 * `fault` that reports mcause, mepc and mtval, so a crash looks like one and the session keeps the
 * RAM it had before. A program that wants its traps defines a mote_trap of its own (M mode, all
 * registers as they were, 4-byte aligned, ends in mret): in C, extern "C" in C++, a void
 * mote_trap(void) with __attribute__((interrupt("machine"), aligned(4))). */
        .weak   mote_trap
        .balign 4
mote_trap:
        j       mote_trap

        .section .rodata
        .balign 4
arguments:
        .word   name, 0
name:   .string "rom"
