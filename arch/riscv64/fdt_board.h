/* SPDX-License-Identifier: MIT */
/*
 * What the port asks of a device tree: memory, what to keep out of, processors, interrupt controller.
 *
 * Every question with several answers is asked by index, 0 upward, until the answer is false: nothing is stored, so
 * this works before there is memory. Each question walks the tree again; all are asked once, at boot.
 *
 * A tree may lie, and one is known to: the vendor's for the VisionFive 2 says that hart 0, which has no MMU, has one.
 * These functions report what the tree says; a caller believes what it can try.
 */
#ifndef RISCV_FDT_BOARD_H
#define RISCV_FDT_BOARD_H

#include "lib/fdt.h"

struct fdt_cpu {
    uint64_t hart;
    bool okay;         /* status absent, "okay" or "ok" */
    bool mmu;          /* mmu-type is there and not "riscv,none" */
    bool fpu;          /* has the F and D extensions */
    bool sstc;         /* has the Sstc extension */
    uint32_t irq_node; /* phandle of its local interrupt controller, 0 if it has none */
};

struct fdt_chosen {
    const char *arguments;   /* "" if there are none */
    struct fdt_range initrd; /* size 0 if there is none */
};

struct fdt_plic {
    struct fdt_node node;
    struct fdt_range reg;
    uint32_t sources; /* riscv,ndev: interrupts are 1 .. sources */
};

/* Memory bank number `index`. False, with *ret untouched, if there is none. */
bool fdt_memory(const struct fdt *tree, uint32_t index, struct fdt_range *ret);

/* Range number `index` of the children of /reserved-memory, whatever their status: keeping out costs little. False,
 * with *ret untouched, if there is none. */
bool fdt_reserved(const struct fdt *tree, uint32_t index, struct fdt_range *ret);

/* Processor number `index`, of any status. False, with *ret untouched, if there is none. */
bool fdt_cpu(const struct fdt *tree, uint32_t index, struct fdt_cpu *ret);

/* Ticks per second of the time CSR, 0 if the tree does not say. */
uint32_t fdt_timebase(const struct fdt *tree);

/* What whoever started the kernel wants of it. */
struct fdt_chosen fdt_chosen(const struct fdt *tree);

/* Platform-level interrupt controller number `index`. False, with *ret untouched, if there is none. */
bool fdt_plic(const struct fdt *tree, uint32_t index, struct fdt_plic *ret);

/* The context of the controller that interrupts this processor in S-mode. False, with *ret untouched, if none does. */
bool fdt_plic_context(const struct fdt *tree, const struct fdt_plic *plic, const struct fdt_cpu *cpu, uint32_t *ret);

#endif
