/* environment.S - numbered cases in user mode, their result in tohost, as RISC-V tests have it */
/* SPDX-License-Identifier: MIT */
/* Start-up code as in published test environments: CSRs that may be missing are written under a
 * trap vector that goes on behind them; then mret into the cases. gp is the case under way; at the
 * end an ecall tells the handler, which stores 1, or the number * 2 + 1 of the case that failed.
 * WRONG is the number of a case that must fail, 0 for none; with STRAY the program strays. */
        .equ    SYS_RESULT, 93
        .equ    CAUSE_USER_ECALL, 8
        .equ    MISALIGNED_LR, 4

        .macro  optional csr, value     /* writes a CSR that may not exist */
        la      t0, 1f
        csrw    mtvec, t0
        li      t1, \value
        csrw    \csr, t1
        .balign 4
1:
        .endm

        .macro  expect number, register, value
        li      gp, \number
        li      t6, \value
        .if     \number == WRONG
        addi    t6, t6, 1
        .endif
        bne     \register, t6, fail
        .endm

        .section .text.init, "ax"
        .globl  _start
_start: j       reset
        .balign 4
trap:
        csrr    t5, mcause
        li      t6, CAUSE_USER_ECALL
        bne     t5, t6, 1f
        li      t6, SYS_RESULT
        beq     a7, t6, write_tohost
        csrw    mscratch, a7            /* another ecall comes back with its number */
        csrr    a0, mscratch
        j       2f
1:      la      t6, may_trap
        csrr    t4, mepc
        bne     t4, t6, stray
        mv      a0, t5
2:      csrr    t4, mepc
        addi    t4, t4, 4
        csrw    mepc, t4
        mret
stray:  ori     gp, gp, 1337
write_tohost:
        sw      gp, tohost, t5
        sw      zero, tohost + 4, t5
        j       write_tohost

reset:
        .irp    r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
        li      x\r, 0
        .endr
        .irp    r, 23, 24, 25, 26, 27, 28, 29, 30, 31
        li      x\r, 0
        .endr
1:      csrr    a0, mhartid
        bnez    a0, 1b
        optional 0x744, 8               /* mnstatus */
        optional satp, 0
        optional pmpaddr0, -1
        optional pmpcfg0, 0x1f
        optional medeleg, 0
        optional mideleg, 0
        csrw    mie, zero
        la      t0, trap
        csrw    mtvec, t0
        li      t0, 7
        csrw    mcounteren, t0
        li      t0, 0x1800
        csrc    mstatus, t0
        la      t0, cases
        csrw    mepc, t0
        mret

        .text
cases:
        li      a1, -7
        li      a2, 0
        div     a3, a1, a2
        expect  2, a3, -1
        rem     a3, a1, a2
        expect  3, a3, -7
        li      a1, 0x80000000
        li      a2, -1
        div     a3, a1, a2
        expect  4, a3, 0x80000000
        mulhsu  a3, a1, a2
        expect  5, a3, 0x80000000
        la      a4, words
        li      a1, 5
        amoadd.w a3, a1, (a4)
        expect  6, a3, 0x12345678
        lw      a3, 0(a4)
        expect  7, a3, 0x1234567d
1:      lr.w    a3, (a4)
        sc.w    a5, a1, (a4)
        expect  8, a5, 0
        sc.w    a5, a1, (a4)
        expect  9, a5, 1
        lw      a3, 1(a4)
        expect  10, a3, 0xef000000
        lh      a3, 3(a4)
        expect  11, a3, 0xffffef00
        li      a7, 42
        ecall
        expect  12, a0, 42
        .option push
        .option norvc
        addi    a5, a4, 2
may_trap:
        lr.w    a3, (a5)
        .option pop
        expect  13, a0, MISALIGNED_LR
        rdinstret a1
        rdinstret a2
        sub     a3, a2, a1
        expect  14, a3, 1
        la      a1, 2f
        li      a2, 0x00a00513          /* li a0, 10 */
        sw      a2, 0(a1)
        fence.i
2:      .word   0x00900513              /* li a0, 9 */
        expect  15, a0, 10
        .if     STRAY
        csrr    a0, mstatus
        .endif
        li      gp, 1
        j       result
fail:   slli    gp, gp, 1
        ori     gp, gp, 1
result: li      a7, SYS_RESULT
        ecall
        unimp

        .data
        .balign 8
words:  .word   0x12345678, 0xbeef89ef
        .section .tohost, "aw", @progbits
        .balign 64
        .globl  tohost, fromhost
tohost: .dword  0
        .balign 64
fromhost: .dword 0
