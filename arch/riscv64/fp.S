/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers. Only what the C calling convention keeps over a call is saved: fs0..fs11 and fcsr. Loading
 * a process's registers clears all others, so that nothing of the process before is seen.
 */
#include "arch_offsets.h"

    .option arch, +f, +d
#define FS(n) (CONTEXT_FS + 8 * (n))

    .text
/* void riscv_fp_save(struct arch_context *) */
    .globl riscv_fp_save
riscv_fp_save:
    fsd fs0, FS(0)(a0)
    fsd fs1, FS(1)(a0)
    fsd fs2, FS(2)(a0)
    fsd fs3, FS(3)(a0)
    fsd fs4, FS(4)(a0)
    fsd fs5, FS(5)(a0)
    fsd fs6, FS(6)(a0)
    fsd fs7, FS(7)(a0)
    fsd fs8, FS(8)(a0)
    fsd fs9, FS(9)(a0)
    fsd fs10, FS(10)(a0)
    fsd fs11, FS(11)(a0)
    frcsr t0
    sd t0, CONTEXT_FCSR(a0)
    ret

/* void riscv_fp_load(const struct arch_context *) */
    .globl riscv_fp_load
riscv_fp_load:
    fld fs0, FS(0)(a0)
    fld fs1, FS(1)(a0)
    fld fs2, FS(2)(a0)
    fld fs3, FS(3)(a0)
    fld fs4, FS(4)(a0)
    fld fs5, FS(5)(a0)
    fld fs6, FS(6)(a0)
    fld fs7, FS(7)(a0)
    fld fs8, FS(8)(a0)
    fld fs9, FS(9)(a0)
    fld fs10, FS(10)(a0)
    fld fs11, FS(11)(a0)
    ld t0, CONTEXT_FCSR(a0)
    fscsr t0
    fmv.d.x ft0, zero
    fmv.d.x ft1, zero
    fmv.d.x ft2, zero
    fmv.d.x ft3, zero
    fmv.d.x ft4, zero
    fmv.d.x ft5, zero
    fmv.d.x ft6, zero
    fmv.d.x ft7, zero
    fmv.d.x ft8, zero
    fmv.d.x ft9, zero
    fmv.d.x ft10, zero
    fmv.d.x ft11, zero
    fmv.d.x fa0, zero
    fmv.d.x fa1, zero
    fmv.d.x fa2, zero
    fmv.d.x fa3, zero
    fmv.d.x fa4, zero
    fmv.d.x fa5, zero
    fmv.d.x fa6, zero
    fmv.d.x fa7, zero
    ret
