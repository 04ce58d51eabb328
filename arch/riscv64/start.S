/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: the Image header that U-Boot and QEMU look for, the lottery, the first page table.
 *
 * Entered in S-mode with the MMU off, a0 = hart number, a1 = device tree, at any 2 MiB-aligned address. One hart is
 * meant to enter here, but old firmware (OpenSBI up to 1.2) can send a hart that was started by HSM here too: so the
 * first hart to draw boots, the others wait until there is a core for their number.
 *
 * Until C can print, three letters tell how far it came: O, entered and alone; S, the first table is written; 2, the
 * MMU is on. Where nothing more can be done a hart stops at a label that names the reason, which a debugger shows:
 *
 *     halt_trap       a trap before C: scause, sepc and stval say which; prints "!"
 *     halt_no_sv39    satp does not take Sv39; prints "?"
 *     halt_no_core    a hart nobody started, and no core has its number (s0)
 *     arch_halt       in C: after a panic, or powered off as far as the firmware can
 *
 * The first map is made by C code that runs where the image lies, with the MMU off: it takes addresses relative to the
 * pc alone. It maps the image at its link address and nothing else, see map.c. Turning the MMU on faults at the next
 * physical address, and stvec points to where execution goes on: no identity mapping is ever made.
 */
#include "arch_offsets.h"

    .section .head, "ax"
    .globl _start
_start:
    j start
    .balign 8
    .quad 0x200000              /* text_offset: from the start of RAM */
    .quad image_size            /* with .bss, so that nothing is put there */
    .quad 0                     /* flags: little-endian */
    .word 2                     /* header version 0.2 */
    .word 0
    .quad 0
    .ascii "RISCV\0\0\0"
    .ascii "RSC\005"
    .word 0

start:
    csrw sie, zero
    li t0, (1 << 18) | (1 << 19) | (3 << 13) | (3 << 9) | (1 << 6) | (1 << 1) /* SUM, MXR, FS, VS, UBE, SIE */
    csrc sstatus, t0
    la t0, halt_trap
    csrw stvec, t0
    mv s0, a0
    mv s1, a1
    la t0, lottery
    li t1, 1
    amoadd.w.aqrl t1, t1, (t0)
    bnez t1, loser
    li a0, 'O'
    call early_put

    la t0, bss_start
    la t1, image_end
1:  sd zero, (t0)
    addi t0, t0, 8
    bltu t0, t1, 1b

    la s2, _start               /* where the image is */
    la sp, boot_stack_top
    mv a0, s2
    call riscv_first_satp
    mv s3, a0
    li a0, 'S'
    call early_put

    mv a0, s3
    la ra, 1f
    j mmu_on
    .balign 4
1:  la sp, boot_stack_top
    mv tp, zero
    la t0, kernel_trap          /* until arch_core_init(): there is no core yet that trap_entry could find */
    csrw stvec, t0
    li a0, '2'
    call early_put
    li a0, '\n'
    call early_put
    mv a0, s0
    mv a1, s1
    mv a2, s2
    call riscv_boot

/* a0 = a character for the firmware's console: DBCN, else the legacy call. Clobbers a0, a1, a6, a7, t0. */
early_put:
    mv t0, a0
    li a6, 2                    /* write byte */
    li a7, 0x4442434e           /* DBCN */
    ecall
    beqz a0, 1f
    mv a0, t0
    li a6, 0
    li a7, 1
    ecall
1:  ret

    .globl halt_trap
    .balign 4
halt_trap:
    csrw sie, zero
    li a0, '!'
    call early_put
1:  wfi
    j 1b

    .globl halt_no_sv39
halt_no_sv39:
    csrw sie, zero
    li a0, '?'
    call early_put
1:  wfi
    j 1b

    .globl halt_no_core
halt_no_core:
    csrw sie, zero
1:  wfi
    j 1b

/* a0 = satp; ra = a physical address in the image: go on at its link address, with the MMU on. Clobbers t0..t2. */
mmu_on:
    la t0, _start
    sub t0, ra, t0
    li t1, 0xffffffff80000000
    add t0, t0, t1
    csrw stvec, t0
    sfence.vma
    csrw satp, a0
    sfence.vma
    csrr t1, satp               /* only reached where the fetch did not fault */
    bne t1, a0, halt_no_sv39
    jr t0

/* Started by HSM, MMU off: a0 = hart, a1 = struct core. */
    .globl riscv_secondary
    .balign 4
riscv_secondary:
    csrw sie, zero
    li t0, (1 << 18) | (1 << 19) | (3 << 13) | (3 << 9) | (1 << 6) | (1 << 1)
    csrc sstatus, t0
    mv s0, a1
    la t0, riscv_secondary_satp
    ld a0, (t0)
    la ra, 1f
    j mmu_on
    .balign 4
1:  mv tp, s0
    la t0, kernel_trap          /* until arch_core_init(): there is no core yet that trap_entry could find */
    csrw stvec, t0
    ld sp, CORE_STACK_TOP(tp)
    mv a0, tp
    call core_main

/* A hart that lost the lottery: sleep by the firmware's timer until every core is made, then look for the one of this
 * hart; give up after LOSER_TICKS, 10 s at 4 MHz. It looks every 1000th of that. wfi may return at any time, or at
 * once: only the clock counts. riscv_secondary_satp is in .data, for .bss may not be cleared yet. */
#define LOSER_TICKS 40000000
loser:
    rdtime s1
    li t0, LOSER_TICKS
    add s1, s1, t0
1:  li t0, 1 << 5              /* STIE: only to end wfi, interrupts are off */
    csrw sie, t0
    rdtime s2
    li t0, LOSER_TICKS / 1000
    add s2, s2, t0
    mv a0, s2
    li a6, 0
    li a7, 0x54494d45           /* TIME */
    ecall
    beqz a0, loser_wait
    mv a0, s2                   /* firmware without it, which also sends every hart here */
    li a7, 0
    ecall
loser_wait:
    wfi
    la t0, riscv_secondary_satp
    ld a0, (t0)
    fence r, rw
    bnez a0, 3f
    rdtime t0
    bltu t0, s2, loser_wait
    bltu t0, s1, 1b
    j halt_no_core
3:  csrw sie, zero
    la ra, 4f
    j mmu_on
    .balign 4
4:  la t0, kernel_trap
    csrw stvec, t0
    mv tp, zero
    la t0, cores
    li t1, 0
    li t2, CORES_MAX_COUNT
5:  ld t3, (t0)
    beqz t3, 6f
    ld t4, CORE_HART(t3)
    bne t4, s0, 6f
    mv tp, t3
    ld sp, CORE_STACK_TOP(tp)
    mv a0, tp
    call core_main
6:  addi t0, t0, 8
    addi t1, t1, 1
    bltu t1, t2, 5b
    j halt_no_core

    .data
    .balign 8
lottery:
    .word 0

    .bss
    .balign 1 << PAGE_SHIFT
boot_stack:
    .skip STACK_BYTES
    .globl boot_stack_top
boot_stack_top:
