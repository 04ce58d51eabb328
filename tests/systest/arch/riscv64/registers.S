/* SPDX-License-Identifier: MIT */
/*
 * All registers around a system call, and all registers of a fresh process: see tests/systest/registers.h.
 */
    .option arch, +f, +d

    /* Registers at the places of their indices: x5 to x30, and all of floating point. */
    .macro general op, base
    .irp n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    \op x\n, 8 * \n(\base)
    .endr
    .endm
    .macro store_fixed base
    sd zero, 0(\base)
    sd ra, 8(\base)
    sd sp, 16(\base)
    sd gp, 24(\base)
    sd tp, 32(\base)
    .endm
    .macro floating op, base
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, \
            29, 30, 31
    \op f\n, 256 + 8 * \n(\base)
    .endr
    .endm
    .macro store_floating base
    floating fsd, \base
    frcsr t0
    sd t0, 512(\base)
    .endm

    /* What C keeps, on a stack frame of 256 bytes: x8, x9, x18 .. x27, and f8, f9, f18 .. f27 behind them. */
    .macro kept op, op_f
    at = 16
    .irp n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    \op x\n, at(sp)
    \op_f f\n, at + 96(sp)
    at = at + 8
    .endr
    .endm

    .text
/* void arch_registers(const uint64_t *in, uint64_t *out) */
    .globl arch_registers
arch_registers:
    addi sp, sp, -256
    sd ra, 0(sp)
    sd a1, 8(sp)
    kept sd, fsd
    frcsr t0
    sd t0, 208(sp)
    mv t6, a0
    ld t0, 512(t6)
    fscsr t0
    floating fld, t6
    ld ra, 8(t6)
    general ld, t6
    ld t6, 248(t6)
    ecall
    .globl arch_registers_return
arch_registers_return:
    sd t6, 248(sp)
    ld t6, 8(sp)                /* out */
    store_fixed t6
    general sd, t6
    ld t0, 248(sp)
    sd t0, 248(t6)
    store_floating t6
    ld t0, 208(sp)
    fscsr t0
    kept ld, fld
    ld ra, 0(sp)
    addi sp, sp, 256
    ret

    .globl arch_fp_look
arch_fp_look:
    store_floating a0
    ret

/* Position-independent; a0 = a page. */
    .globl arch_dump
    .globl arch_dump_end
arch_dump:
    store_fixed a0
    general sd, a0
    sd t6, 248(a0)
    store_floating a0
    mv a5, a0
    ld s0, 1032(a5)
    ld s1, 1040(a5)
    ld a0, 1024(a5)
    ecall
    sd tp, 1048(a5)
    mv a0, s0
    ecall
    mv a0, s1
    ecall
arch_dump_end:

    .globl arch_loop
    .globl arch_loop_end
arch_loop:
    j arch_loop
arch_loop_end:

    .section .note.GNU-stack, "", @progbits
