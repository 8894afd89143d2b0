/* vectors.S - vectored traps: all registers into a task's frame, and back out of the next one's */
/* SPDX-License-Identifier: MIT */
        .section .text.start, "ax"
        .globl  _start
_start:
        .option push
        .option norelax
        la      gp, __global_pointer$
        .option pop
        la      sp, kernel_stack_end
        la      t0, __bss_start
        la      t1, _end
1:      sw      zero, 0(t0)
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        la      t0, vectors + 1
        csrw    mtvec, t0
        la      t0, kernel_frame
        csrw    mscratch, t0
        call    begin
resume:                                 /* a0 is the frame of the task to go on with */
        csrw    mscratch, a0
        lw      t0, 0(a0)
        csrw    mepc, t0
        .irp    r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
        lw      x\r, 4 * \r(a0)
        .endr
        .irp    r, 23, 24, 25, 26, 27, 28, 29, 30, 31, 10
        lw      x\r, 4 * \r(a0)
        .endr
        mret

        .macro  vector handler
        csrrw   a0, mscratch, a0        /* of the running task, or the kernel's own */
        .irp    r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
        sw      x\r, 4 * \r(a0)
        .endr
        .irp    r, 23, 24, 25, 26, 27, 28, 29, 30, 31
        sw      x\r, 4 * \r(a0)
        .endr
        csrr    t0, mscratch
        sw      t0, 4 * 10(a0)
        la      t0, kernel_frame
        csrw    mscratch, t0
        csrr    t0, mepc
        sw      t0, 0(a0)
        .option push
        .option norelax
        la      gp, __global_pointer$
        .option pop
        la      sp, kernel_stack_end
        call    \handler
        j       resume
        .endm

        .balign 64
        .option push
        .option norvc
vectors:
        j       exception               /* 0 */
        j       stray
        j       stray
        j       software                /* 3 */
        j       stray
        j       stray
        j       stray
        j       timer                   /* 7 */
        j       stray
        j       stray
        j       stray
        j       stray                   /* 11 */
        .option pop

exception:
        vector  on_exception
software:
        vector  on_software
timer:  vector  on_timer
stray:  vector  on_stray

        .bss
        .balign 16
        .space  2048
kernel_stack_end:
kernel_frame:                           /* where a trap of the kernel itself is saved */
        .space  128
