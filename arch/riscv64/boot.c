/* SPDX-License-Identifier: MIT */
/*
 * From the first table to kernel_main(): what the firmware and the device tree say about this machine.
 *
 * The tree is read in place and never written. What it says of RAM is believed less what it reserves (memreserve block,
 * /reserved-memory, our own image, and what lies below the image in its bank, which is firmware's). What it says of
 * processors is believed for all but the one that runs this. Core numbers count from 0, the boot hart; hart numbers may
 * be sparse and have nothing to do with them.
 *
 * The boot archive and the tree are ours to use wherever they lie: U-Boot puts the archive into the memreserve block,
 * so they are cut out of what is reserved; the tree may even lie outside RAM, for it is copied early.
 *
 * Boot arguments that force what other machines have, so that it can be tried on any:
 *     os2.noasid          no ASIDs: every switch fences everything
 *     os2.fences=global   fences by sfence.vma x0, x0 alone, as some parts need
 *     os2.sbi=legacy      of the firmware only the legacy calls, and HSM to start cores
 *     os2.notime          the timer by the legacy call
 *     os2.nosrst          power off by the legacy call
 */
#include "arch/riscv64/riscv.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"

extern char image_start[], image_end[];

struct riscv_facts riscv_facts;
struct core *riscv_ready[CORES_MAX];
static struct boot_info boot_info;

/* Does what lies at `base` meet [from, end)? */
static bool meets(uint64_t base, uint64_t size, uint64_t from, uint64_t end) {
    return size && from < base + size && base < end;
}

static void reserve(struct boot_info *info, uint64_t base, uint64_t end) {
    if (base < end)
        boot_reserve(info, base, end - base);
}

/* Reserve [base, end) but for the pages of what is kept, from number `next` on. */
static void reserve_around_kept(struct boot_info *info, uint64_t base, uint64_t end, unsigned next) {
    for (unsigned i = next; i < info->kept_count; i++) {
        uint64_t kept = info->kept[i].base & ~(OS2_PAGE_SIZE - 1);
        uint64_t kept_end = (info->kept[i].base + info->kept[i].size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1);
        if (kept < end && base < kept_end) {
            if (base < kept)
                reserve_around_kept(info, base, kept, i + 1);
            base = kept_end;
        }
    }
    reserve(info, base, end);
}

/* What is kept is known. */
static void find_memory(const struct fdt *tree, struct boot_info *info) {
    struct fdt_range r;
    for (uint32_t i = 0; fdt_memory(tree, i, &r); i++) {
        uint64_t end = r.base + r.size;
        for (unsigned k = 0; k < info->ram_count; k++) {
            uint64_t other = info->ram[k].base, other_end = other + info->ram[k].size;
            if (meets(other, other_end - other, r.base, end))
                log_line("RAM %lx..%lx is in the device tree twice", r.base > other ? r.base : other,
                         end < other_end ? end : other_end);
        }
        boot_ram(info, r.base, r.size);
    }
    boot_limit(info, RISCV_DIRECT_SIZE);
    for (uint32_t i = 0; fdt_reserved(tree, i, &r); i++)
        reserve_around_kept(info, r.base, r.base + r.size, 0);
    for (uint32_t i = 0; fdt_memreserve(tree, i, &r); i++)
        reserve_around_kept(info, r.base, r.base + r.size, 0);
    /* Firmware sits at the start of the image's bank, and not every one says so. */
    uint64_t image = riscv_facts.image_base, low = image, end = image + (uint64_t)(image_end - image_start);
    for (unsigned i = 0; i < info->ram_count; i++)
        if (info->ram[i].base < image && image - info->ram[i].base <= 0x200000)
            low = info->ram[i].base;
    reserve(info, low, end);
    if (meets(info->archive.base, info->archive.size, low, end))
        panic("the boot archive at %lx..%lx lies over the kernel or the firmware, %lx..%lx", info->archive.base,
              info->archive.base + info->archive.size, low, end);
}

static bool plic_reaches(const struct fdt_range *reg, uint32_t context) {
    if (plic_context_end(context) <= reg->size)
        return true;
    log_line("context %u lies outside of the interrupt controller's %lx bytes: no interrupts there", context,
             reg->size);
    return false;
}

static void find_cpus(const struct fdt *tree, struct boot_info *info, uint64_t boot_hart) {
    struct fdt_cpu cpu;
    struct fdt_plic plic;
    bool has_plic = fdt_plic(tree, 0, &plic), reached = false;
    unsigned left_out = 0;
    if (has_plic && (plic.reg.base & 3 || plic.reg.base + plic.reg.size > RISCV_DIRECT_SIZE)) {
        log_line("the interrupt controller at %lx is out of reach: no interrupts", plic.reg.base);
        has_plic = false;
    }
    riscv_facts.sstc = true;
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
        riscv_facts.sstc &= cpu.sstc;
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
    riscv_facts.sstc = riscv_facts.sstc && !forced && riscv_probe_stimecmp();
}

/* The boot arguments, and what of RAM is in use: the archive and the tree. */
static void find_chosen(const struct fdt *tree, struct boot_info *info) {
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

static void find_devices(const struct fdt *tree) {
    struct fdt_range device;
    if (fdt_device(tree, "sifive,test0", 0, &device) || fdt_device(tree, "sifive,test1", 0, &device))
        riscv_facts.test_device = device.base;
    if (!fdt_device(tree, "riscv,clint0", 0, &riscv_facts.clint))
        fdt_device(tree, "sifive,clint0", 0, &riscv_facts.clint);
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
    void *bytes = arch_phys_to_virt(tree_address);
    if (tree_address >= RISCV_DIRECT_SIZE - FDT_HEADER_BYTES)
        panic("the device tree at %lx, where a1 points, is out of reach", tree_address);
    uint32_t size = fdt_total(bytes);
    if (!size || !fdt_open(&tree, bytes, size))
        panic("no device tree at %lx, where a1 points", tree_address);
    info->tree = (struct boot_range){tree_address, size};
    find_chosen(&tree, info);
    find_memory(&tree, info);
    if (info->archive.size && !boot_holds(info->ram, info->ram_count, &info->archive))
        panic("the boot archive at %lx is not in RAM", info->archive.base);
    find_cpus(&tree, info, hart);
    info->clock_hz = fdt_timebase(&tree);
    if (!info->clock_hz)
        panic("the device tree has no timebase-frequency");
    find_devices(&tree);
    sbi_restrict(info);
    sbi_describe();
    kernel_main(info);
}

void arch_core_make(struct core *core, unsigned index, uint64_t run_word, uint64_t cpu, uint64_t stack_top) {
    *riscv_core(core) = (struct arch_core){
        .index = index,
        .run_word = run_word,
        .hart = cpu,
        .stack_top = stack_top,
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
    __asm__ volatile("mv tp, %0" ::"r"(core));
    riscv_ready[riscv_core(core)->index] = core;
    csr_clear(sstatus, RISCV_SSTATUS_FS | RISCV_SSTATUS_SPP); /* sret goes to user mode from here on */
    csr_write(scounteren, 7);                                 /* cycle, time and instret may be read in user mode */
    if (!riscv_facts.fast)
        csr_write(stvec, trap_entry_plain);
    plic_core_init(riscv_core(core)->plic_context);
    csr_write(sie, UINT64_C(1) << RISCV_IRQ_SOFT | UINT64_C(1) << RISCV_IRQ_EXTERNAL);
}

bool arch_core_start(struct core *core) {
    arch_store_release(&riscv_secondary_satp, riscv_kernel_satp); /* cores[] is full: those who wait may come in */
    uint64_t entry = (uint64_t)(uintptr_t)riscv_secondary - RISCV_IMAGE_BASE + riscv_facts.image_base;
    return sbi_hart_start(riscv_core(core)->hart, entry, (uint64_t)(uintptr_t)core);
}

bool arch_device_allowed(uint64_t base, uint64_t size) {
    uint64_t end = base + size;
    if (meets(riscv_facts.plic.base, riscv_facts.plic.size, base, end))
        return false;
    if (riscv_facts.test_device && base <= riscv_facts.test_device && riscv_facts.test_device < end)
        return false;
    return !meets(riscv_facts.clint.base, riscv_facts.clint.size, base, end);
}
