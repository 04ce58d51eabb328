/* SPDX-License-Identifier: MIT */
/*
 * What the device tree says of this machine but for its RAM: processors, interrupt controller, devices of the kernel's,
 * boot arguments.
 *
 * What it says of processors is believed for all but the one that runs this. Core numbers count from 0, the boot hart;
 * hart numbers may be sparse and have nothing to do with them.
 */
#include "arch/riscv64/riscv.h"
#include "lib/string.h"

struct riscv_facts riscv_facts;

static bool plic_reaches(const struct fdt_range *reg, uint32_t context) {
    if (plic_context_end(context) <= reg->size)
        return true;
    log_line("context %u lies outside of the interrupt controller's %lx bytes: no interrupts there", context,
             reg->size);
    return false;
}

void riscv_find_cpus(const struct fdt *tree, struct boot_info *info, uint64_t boot_hart) {
    struct fdt_cpu cpu;
    struct fdt_plic plic;
    bool has_plic = fdt_plic(tree, 0, &plic), reached = false, sstc = true, listed = false;
    unsigned left_out = 0;
    if (has_plic && (plic.reg.base & 3 || plic.reg.base + plic.reg.size > RISCV_DIRECT_SIZE)) {
        log_line("the interrupt controller at %lx is out of reach: no interrupts", plic.reg.base);
        has_plic = false;
    }
    info->cpu_count = 1;
    info->cpu_id[0] = boot_hart;
    for (unsigned i = 0; i < CORES_MAX; i++)
        riscv_facts.plic_context[i] = RISCV_NO_PLIC;
    for (uint32_t i = 0; fdt_cpu(tree, i, &cpu); i++) {
        bool is_boot = cpu.hart == boot_hart;
        if (!is_boot && (!cpu.okay || !cpu.mmu || !cpu.fpu))
            continue;
        if (!is_boot && info->cpu_count == CORES_MAX) {
            left_out++;
            continue;
        }
        unsigned index = is_boot ? 0 : info->cpu_count++;
        uint32_t context;
        info->cpu_id[index] = cpu.hart;
        sstc = sstc && cpu.sstc;
        listed = listed || is_boot;
        if (has_plic && fdt_plic_context(tree, &plic, &cpu, &context) && plic_reaches(&plic.reg, context)) {
            riscv_facts.plic_context[index] = context;
            reached = true;
        }
    }
    if (left_out)
        log_line("%u more cpus are not used: %u is the most", left_out, CORES_MAX);
    if (reached) { /* else drivers are told that there are no interrupts, and poll */
        riscv_facts.plic = plic.reg;
        riscv_facts.plic_sources = plic.sources < PLIC_SOURCES_MAX ? plic.sources : PLIC_SOURCES_MAX;
        info->irq_count = riscv_facts.plic_sources + 1;
    }
    bool forced = boot_argument(info, "os2.notime") || boot_argument(info, "os2.sbi=legacy");
    if (!listed)
        log_line("hart %lu, which runs this, is not in the device tree", boot_hart);
    /* The register is tried only where every hart is said to have it. QEMU's spike says so and does not. */
    riscv_facts.sstc = listed && sstc && !forced && riscv_probe_stimecmp();
}

/* The boot arguments, and what of RAM is in use: the archive and the tree. */
void riscv_find_chosen(const struct fdt *tree, struct boot_info *info) {
    struct fdt_chosen chosen = fdt_chosen(tree);
    size_t length = strlen(chosen.arguments);
    if (length >= sizeof info->arguments) {
        log_line("%lu bytes of boot arguments: those from %lu on are not read", length, sizeof info->arguments - 1);
        length = sizeof info->arguments - 1;
    }
    memcpy(info->arguments, chosen.arguments, length);
    info->archive = (struct boot_range){chosen.initrd.base, chosen.initrd.size};
    if (info->archive.size)
        info->kept[info->kept_count++] = info->archive;
    info->kept[info->kept_count++] = info->tree;
}

void riscv_find_devices(const struct fdt *tree) {
    struct fdt_range device;
    if (fdt_device(tree, "sifive,test0", 0, &device) || fdt_device(tree, "sifive,test1", 0, &device))
        riscv_facts.test_device = device.base;
    if (!fdt_device(tree, "riscv,clint0", 0, &riscv_facts.clint))
        fdt_device(tree, "sifive,clint0", 0, &riscv_facts.clint);
}
