/* SPDX-License-Identifier: MIT */
/*
 * From the first table to kernel_main(): what the firmware and the device tree say about this machine.
 *
 * The tree is read through a window, where firmware left it, and never written; memory.c says what becomes of its RAM,
 * facts.c what else is read there.
 *
 * Boot arguments that force what other machines have, so that it can be tried on any:
 *     os2.noasid          no ASIDs: every switch fences
 *     os2.fences=global   fences by sfence.vma x0, x0 alone, as some parts need
 *     os2.sbi=legacy      of the firmware only the legacy calls, and HSM to start cores
 *     os2.nohsm           not that either
 *     os2.notime          the timer by the legacy call
 *     os2.nosrst          power off by the legacy call
 */
#include "arch/riscv64/riscv.h"
#include "lib/string.h"

extern char image_start[], image_rodata[], image_data[], image_end[];

static struct boot_info boot_info;

uint64_t riscv_first_satp(uint64_t image) {
    struct riscv_image parts = {
        .base = image,
        .rodata = (uint64_t)(image_rodata - image_start),
        .data = (uint64_t)(image_data - image_start),
        .size = (uint64_t)(image_end - image_start),
    };
    uint64_t at = (uint64_t)(uintptr_t)&riscv_tables; /* where this code is, and that is physical */
    riscv_first_map(&riscv_tables, at, &parts);
    return RISCV_SATP_SV39 | at >> OS2_PAGE_SHIFT;
}

/* Opens the tree in its window. */
static void open_tree(struct fdt *ret, uint64_t address, struct boot_info *info) {
    if (!address)
        panic("no device tree: a1 is 0. U-Boot: `booti KERNEL ARCHIVE:SIZE $fdtcontroladdr`, not `go`");
    void *bytes = riscv_show(RISCV_WINDOW_TREE, address, FDT_HEADER_BYTES);
    uint32_t size = bytes ? fdt_total(bytes) : 0;
    if (!size)
        panic("no device tree at %lx, where a1 points; U-Boot's `booti` passes one, `go` does not", address);
    bytes = riscv_show(RISCV_WINDOW_TREE, address, size);
    if (!bytes)
        panic("the device tree at %lx has %u bytes: %lu are the most", address, size, RISCV_WINDOW_SIZE);
    if (!fdt_open(ret, bytes, size))
        panic("the device tree at %lx is damaged", address);
    info->tree = (struct boot_range){address, size};
}

/* The archive or the tree goes to RAM that can be given away by the page, if it is not there. */
static void move_kept(struct boot_info *info, struct boot_range *what) {
    if (!what->size || riscv_usable(info, what))
        return;
    struct boot_range *kept = info->kept;
    while (kept->base != what->base || kept->size != what->size)
        kept++;
    uint64_t to = boot_room(info, what->size, UINT64_MAX);
    if (!to)
        panic("what lies at %lx..%lx is not in RAM that can be used, and there is no room for a copy", what->base,
              what->base + what->size);
    for (uint64_t done = 0, step; done < what->size; done += step) {
        step = what->size - done < RISCV_WINDOW_SIZE / 2 ? what->size - done : RISCV_WINDOW_SIZE / 2;
        memcpy((uint8_t *)arch_phys_to_virt(to) + done, riscv_show(RISCV_WINDOW_TABLES, what->base + done, step), step);
    }
    riscv_show(RISCV_WINDOW_TABLES, 0, 0);
    log_line("copied %lx..%lx, which is not in RAM that can be used, to %lx", what->base, what->base + what->size, to);
    *kept = *what = (struct boot_range){to, what->size};
}

void riscv_boot(uint64_t hart, uint64_t tree_address, uint64_t image) {
    struct boot_info *info = &boot_info;
    riscv_facts.image_base = image;
    sbi_probe();
    log_line("hart %lu, image at %lx, device tree at %lx", hart, image, tree_address);
    csr_set(sstatus, RISCV_SSTATUS_FS);
    if (!(csr_read(sstatus) & RISCV_SSTATUS_FS))
        panic("hart %lu has no floating point: F and D are needed", hart);
    csr_clear(sstatus, RISCV_SSTATUS_FS);

    struct fdt tree;
    open_tree(&tree, tree_address, info);
    riscv_find_chosen(&tree, info);
    riscv_find_memory(&tree, info, image, image + (uint64_t)(image_end - image_start));
    riscv_map_ram(info);
    move_kept(info, &info->archive);
    move_kept(info, &info->tree);
    riscv_find_cpus(&tree, info, hart);
    info->clock_hz = fdt_timebase(&tree);
    if (!info->clock_hz)
        panic("the device tree has no timebase-frequency");
    riscv_find_devices(&tree);
    sbi_restrict(info);
    sbi_describe(info->cpu_count);
    riscv_show(RISCV_WINDOW_TREE, 0, 0);
    kernel_main(info);
}

void arch_core_make(struct core *core, unsigned index, uint64_t run_word, uint64_t cpu, uint64_t stack_top) {
    *riscv_core(core) = (struct arch_core){
        .index = index,
        .run_word = run_word,
        .hart = cpu,
        .stack_top = riscv_map_stack(index, stack_top),
        .place = RISCV_NOWHERE,
        .asid_next = 1,
        .asid_epoch = 1,
        .plic_context = riscv_facts.plic_context[index],
    };
    struct arch_core *here = riscv_core(core);
    for (unsigned i = 0; i < RISCV_LIGHT_ENTRIES; i++) {
        here->light[i] = i < OS2_SYS_COUNT ? light_handlers[i] : NULL;
        here->shorts[i] = here->light[i] ? riscv_light : riscv_not_light;
    }
    here->shorts[OS2_SYS_receive] = riscv_receive;
    if (!OS2_CHECKS) {
        here->shorts[OS2_SYS_block_alloc] = riscv_block_alloc;
        if (!riscv_facts.fences_global)
            here->shorts[OS2_SYS_block_free] = riscv_block_free;
    }
}

void arch_core_init(struct core *core) {
    __asm__ volatile("mv tp, %0; csrw sscratch, tp" ::"r"(core));
    riscv_ready[riscv_core(core)->index] = core;
    riscv_clear_optional();
    csr_write(sstatus, RISCV_SSTATUS_UXL_64); /* all else 0, as firmware may not have left it; sret goes to user mode */
    csr_write(scounteren, 7);                 /* cycle, time and instret may be read in user mode */
    arch_fence_code();                        /* of what mmu.c has written into the entry path */
    csr_write(stvec, riscv_facts.short_ways ? trap_entry : trap_entry_long);
    plic_core_init(riscv_core(core)->plic_context);
    csr_write(sie, UINT64_C(1) << RISCV_IRQ_SOFT | UINT64_C(1) << RISCV_IRQ_EXTERNAL);
}

/* False where the firmware refuses; where it cannot start a hart, that may come by itself. */
bool arch_core_start(struct core *core) {
    arch_store_release(&riscv_secondary_satp, riscv_kernel_satp); /* cores[] is full: those who wait may come in */
    uint64_t entry = (uint64_t)(uintptr_t)riscv_secondary - RISCV_IMAGE_BASE + riscv_facts.image_base;
    return !sbi_has.hsm || sbi_call(SBI_HSM, 0, riscv_core(core)->hart, entry, (uint64_t)(uintptr_t)core).error == 0;
}
