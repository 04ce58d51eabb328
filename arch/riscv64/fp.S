/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers, a part of entry.S. Only what the C calling convention keeps over a call is saved: fs0..fs11
 * and fcsr. Loading a process's registers clears all others, so that nothing of the process before is seen.
 *
 * sstatus.FS is Off unless the current process has its state in the registers (fp_on of the core); then it is Clean
 * while they are as they were loaded, and Dirty from the first change on. A process that uses them while they are off
 * traps, and gets its state. From then on it has it at each switch to it, until it has gone through a turn without a
 * change (fp_live of its space). The context always holds the state of a process that is not current, whatever fp_live
 * says; that only decides whether it is loaded at once or at the first use.
 */
    /* Offset of fs0 of a process's context from a register, and one to spare. */
    .macro fp_save at, base, spare
    .option push
    .option arch, +f, +d
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    fsd fs\n, \at + 8 * \n(\base)
    .endr
    frcsr \spare
    sd \spare, \at + CONTEXT_FCSR - CONTEXT_FS(\base)
    .option pop
    .endm

    .macro fp_load at, base, spare
    .option push
    .option arch, +f, +d
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    fld fs\n, \at + 8 * \n(\base)
    .endr
    ld \spare, \at + CONTEXT_FCSR - CONTEXT_FS(\base)
    fscsr \spare
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    fmv.d.x ft\n, zero
    .endr
    .irp n, 0,1,2,3,4,5,6,7
    fmv.d.x fa\n, zero
    .endr
    .option pop
    .endm

#define FS_MASK 0x6000
#define FS_DIRTY_ONLY 0x2000    /* Dirty less this is Clean */

/* void riscv_fp_save(struct arch_context *) */
    .globl riscv_fp_save
riscv_fp_save:
    fp_save CONTEXT_FS, a0, t0
    ret

/* void riscv_fp_load(const struct arch_context *) */
    .globl riscv_fp_load
riscv_fp_load:
    fp_load CONTEXT_FS, a0, t0
    ret

/*
 * On the short ways t1 is left and t5 is to be run, and their places (mmu.c) differ. All this comes before it is
 * sure that t5 runs: until then it only puts t1's state where it belongs, and if it does not, the registers are turned
 * off, or loaded anew by whoever runs.
 */
    /* Both have floating point. */
    .macro fp_exchange way
    csrr t6, sstatus
    bgez t6, \way\()_fp_unchanged    /* SD: Dirty? */
    fp_save PROCESS_FS, t1, t6
\way\()_fp_load:
    fp_load PROCESS_FS, t5, t6
    lui t6, FS_DIRTY_ONLY >> 12
    csrc sstatus, t6
    .endm

    /* Out of line of fp_exchange. */
    .macro fp_exchange_rest way
\way\()_fp_unchanged:
    jal ra, fp_drop
    j \way\()_fp_load
    .endm

/* Only one of them has it: t6 is the difference of the words, less 3. Else the switch needs more than this. */
fp_one:
    addi t6, t6, 3 - PLACE_FP_ON
    beqz t6, fp_leave
    addi t6, t6, PLACE_FP_ON - PLACE_FP_LIVE
    bnez t6, long_way
    lui t6, FS_MASK >> 12
    csrs sstatus, t6
    fp_load PROCESS_FS, t5, t6
    lui t6, FS_DIRTY_ONLY >> 12
    csrc sstatus, t6
    ld t6, CORE_PLACE(tp)
    ori t6, t6, PLACE_FP_ON
    sd t6, CORE_PLACE(tp)
    jr ra

fp_leave:
    csrr t6, sstatus
    bgez t6, 1f
    fp_save PROCESS_FS, t1, t6
fp_off:
    lui t6, FS_MASK >> 12
    csrc sstatus, t6
    ld t6, CORE_PLACE(tp)
    andi t6, t6, ~PLACE_FP_ON
    sd t6, CORE_PLACE(tp)
    jr ra
1:  sb zero, PROCESS_FP_LIVE(t1)
    ld t6, PROCESS_PLACE(t1)
    andi t6, t6, ~PLACE_FP_LIVE
    sd t6, PROCESS_PLACE(t1)
    j fp_off

/* t1 did not change its state since it was loaded: the next time it is loaded when it is used. */
fp_drop:
    sb zero, PROCESS_FP_LIVE(t1)
    ld t6, PROCESS_PLACE(t1)
    andi t6, t6, ~PLACE_FP_LIVE
    sd t6, PROCESS_PLACE(t1)
    jr ra
