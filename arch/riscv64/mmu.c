/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: the kernel's map, ASIDs, fences.
 *
 * The kernel's half of every root: RAM that is not reserved, writable, with the largest leaves, at RISCV_DIRECT_BASE;
 * device registers that the kernel uses, in the same window; and the image at its link address, by segments. The image
 * itself is reserved RAM, so no writable mapping of its code exists.
 *
 * ASIDs are each core's own, 1 to asid_max; 0 is the kernel's root. A space that comes from another core, or from
 * before the last roll-over here, gets a fresh ASID with one local fence; an old one is never resumed. What a space
 * loses while it is current is fenced at once; while it is not, the fence is owed until it is activated. No core ever
 * fences for another: a process runs on one core, and its translations elsewhere are under ASIDs that are not used
 * again before a roll-over there, which fences everything.
 *
 * With asid_max 0 (U54, U74, or the boot argument os2.noasid) every change of satp is followed by a fence of all, and
 * so is every lost leaf. Where only sfence.vma x0, x0 may be used (errata of the FU540 and FU740, or the boot argument
 * os2.fences=global) every fence is one of all.
 */
#include "arch/riscv64/riscv.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"

extern char image_start[], image_rodata[], image_data[], image_end[];

uint64_t riscv_kernel_satp, riscv_secondary_satp;

static uint64_t kernel_root[512] __attribute__((aligned(4096)));
static uint16_t kernel_entry[256]; /* indices of its entries, of which most are not valid; (i) after boot */
static unsigned kernel_entry_count;
static uint64_t image_middle[512] __attribute__((aligned(4096)));
static uint64_t image_table[512] __attribute__((aligned(4096)));

#define KERNEL_R (RISCV_PTE_V | RISCV_PTE_R | RISCV_PTE_G | RISCV_PTE_A | RISCV_PTE_D)
#define KERNEL_RW (KERNEL_R | RISCV_PTE_W)
#define KERNEL_RX (KERNEL_R | RISCV_PTE_X)

static uint64_t image_phys(const void *va) {
    return (uint64_t)(uintptr_t)va - RISCV_IMAGE_BASE + riscv_facts.image_base;
}

static uint64_t *kernel_table(uint64_t *entry) {
    if (!(*entry & RISCV_PTE_V)) {
        *entry = arch_pte_table(kernel_table_alloc());
    }
    return arch_phys_to_virt(arch_pte_address(*entry));
}

/* Map [base, end) in the direct window, page-aligned, with the largest leaves. */
static void map_direct(uint64_t base, uint64_t end) {
    if (end > RISCV_DIRECT_SIZE)
        end = RISCV_DIRECT_SIZE;
    for (uint64_t pa = base; pa < end;) {
        uint64_t *table = kernel_root;
        unsigned level = 2;
        uint64_t size = UINT64_C(1) << 30;
        while (level > 0 && (pa & (size - 1) || size > end - pa)) {
            table = kernel_table(&table[(pa + RISCV_DIRECT_BASE) >> (12 + 9 * level) & 511]);
            level--;
            size >>= 9;
        }
        table[(pa + RISCV_DIRECT_BASE) >> (12 + 9 * level) & 511] = pa >> 2 | KERNEL_RW;
        pa += size;
    }
}

/* Map those pages of a range that no bank holds: the device tree need not lie in RAM. */
static void map_outside(const struct boot_info *info, const struct boot_range *range) {
    for (uint64_t page = range->base & ~(OS2_PAGE_SIZE - 1); page < range->base + range->size; page += OS2_PAGE_SIZE) {
        bool banked = false;
        for (struct boot_range r = {0}; boot_ram_next(info, &r);)
            banked |= page >= r.base && page < r.base + r.size;
        if (!banked)
            map_direct(page, page + OS2_PAGE_SIZE);
    }
}

void riscv_map_device(uint64_t base, uint64_t size) {
    map_direct(base & ~(OS2_PAGE_SIZE - 1), (base + size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1));
}

static void map_image(void) {
    kernel_root[RISCV_IMAGE_BASE >> 30 & 511] = arch_pte_table(image_phys(image_middle));
    image_middle[RISCV_IMAGE_BASE >> 21 & 511] = arch_pte_table(image_phys(image_table));
    for (char *va = image_start; va < image_end; va += OS2_PAGE_SIZE)
        image_table[(uintptr_t)va >> 12 & 511] = image_phys(va) >> 2 | (va < image_rodata ? KERNEL_RX
                                                                        : va < image_data ? KERNEL_R
                                                                                          : KERNEL_RW);
}

/* How many ASID bits satp keeps. */
static uint64_t probe_asids(void) {
    uint64_t satp = csr_read(satp);
    csr_write(satp, satp | RISCV_SATP_ASID_MASK << RISCV_SATP_ASID_SHIFT);
    uint64_t found = csr_read(satp) >> RISCV_SATP_ASID_SHIFT & RISCV_SATP_ASID_MASK;
    csr_write(satp, satp);
    return found;
}

/* The tables of the image's own map are in the image, which the direct map leaves out. */
static const uint64_t *table_at(uint64_t pa) {
    if (pa >= riscv_facts.image_base && pa < image_phys(image_end))
        return (const uint64_t *)(uintptr_t)(pa - riscv_facts.image_base + RISCV_IMAGE_BASE);
    return arch_phys_to_virt(pa);
}

/* A table of the kernel's map has only what every Sv39 machine can read: leaves with A and D set (some fault on what is
 * clear there), other entries with neither, no bits of extensions; and nothing is writable and executable. */
static void check_table(const uint64_t *table, unsigned level, uint64_t va) {
    for (unsigned i = 0; i < 512; i++) {
        uint64_t pte = table[i], at = va | (uint64_t)i << (12 + 9 * level);
        if (!(pte & RISCV_PTE_V))
            continue;
        bool leaf = arch_pte_is_leaf(pte, level);
        uint64_t ad = pte & (RISCV_PTE_A | RISCV_PTE_D);
        if (pte >> 54 || pte & RISCV_PTE_U || (!leaf && level == 0) ||
            ad != (leaf ? (uint64_t)(RISCV_PTE_A | RISCV_PTE_D) : 0) || (pte & RISCV_PTE_W && pte & RISCV_PTE_X))
            panic("the kernel's map: entry %lx for %lx at level %u", pte, at, level);
        if (!leaf)
            check_table(table_at(arch_pte_address(pte)), level - 1, at);
    }
}

void arch_kernel_map(const struct boot_info *info) {
    for (struct boot_range r = {0}; boot_ram_next(info, &r);)
        map_direct(r.base, r.base + r.size);
    map_image();
    for (unsigned i = 0; i < info->kept_count; i++)
        map_outside(info, &info->kept[i]);
    if (riscv_facts.plic.size)
        riscv_map_device(riscv_facts.plic.base, riscv_facts.plic.size);
    if (riscv_facts.test_device)
        riscv_map_device(riscv_facts.test_device, OS2_PAGE_SIZE);
    uint64_t satp = RISCV_SATP_SV39 | image_phys(kernel_root) >> OS2_PAGE_SHIFT;
    __asm__ volatile("sfence.vma" ::: "memory");
    csr_write(satp, satp);
    __asm__ volatile("sfence.vma" ::: "memory");

    uint64_t asids = probe_asids();
    bool broken = riscv_fences_broken(sbi_marchid(), sbi_mimpid());
    riscv_facts.fast = !boot_argument(info, "os2.nofast");
    riscv_facts.asid_max = broken || boot_argument(info, "os2.noasid") ? 0 : asids;
    riscv_facts.fences_global = broken || !riscv_facts.asid_max || boot_argument(info, "os2.fences=global");
    log_line("Sv39, ASIDs 0..%lu%s, fences %s, timer by %s", asids, riscv_facts.asid_max ? "" : " not used",
             broken ? "global: erratum" : (riscv_facts.fences_global ? "global" : "by address and ASID"),
             riscv_facts.sstc ? "stimecmp" : "SBI");
    check_table(kernel_root, 2, 0);
    for (unsigned i = 256; i < 512; i++)
        if (kernel_root[i])
            kernel_entry[kernel_entry_count++] = (uint16_t)i;
    if (riscv_facts.plic.size)
        plic_init();
    riscv_kernel_satp = satp;
}

void arch_space_init(struct arch_space *space, uint64_t *root) {
    *space = (struct arch_space){.root = arch_virt_to_phys(root)};
    for (unsigned i = 0; i < kernel_entry_count; i++)
        root[kernel_entry[i]] = kernel_root[kernel_entry[i]];
}

void arch_space_fini(uint64_t *root) {
    for (unsigned i = 0; i < kernel_entry_count; i++)
        root[kernel_entry[i]] = 0;
}

static void fence_all(void) {
    __asm__ volatile("sfence.vma" ::: "memory");
}
static void fence_asid(uint64_t asid) {
    if (riscv_facts.fences_global)
        fence_all();
    else
        __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

/* The word by which the entry path knows that a process may be entered here by writing satp alone: this core, this ASID
 * epoch, no floating-point state in the registers nor to be put there. It is also what the entry path writes into the
 * state word of one that it claims. A space's is 0 while it owes a fence. */
static void set_context_words(struct arch_core *here, struct arch_space *space) {
    uint64_t word = here->run_word + (here->asid_epoch << RISCV_CTX_EPOCH_SHIFT);
    /* The short ways fence by address. */
    here->ctx = riscv_facts.fences_global              ? RISCV_CTX_NONE
                : csr_read(sstatus) & RISCV_SSTATUS_FS ? word | RISCV_CTX_FP_ON
                                                       : word;
    space->ctx = word | (space->fp_live ? RISCV_CTX_FP_LIVE : 0);
}

void arch_space_activate(struct core *core, struct arch_space *space) {
    struct arch_core *here = riscv_core(core);
    if (!space || !riscv_facts.asid_max) {
        csr_write(satp, space ? RISCV_SATP_SV39 | space->root >> OS2_PAGE_SHIFT : riscv_kernel_satp);
        if (!riscv_facts.asid_max)
            fence_all();
        here->ctx = RISCV_CTX_NONE;
        return;
    }
    if (space->core != here->index + 1 || space->epoch != here->asid_epoch) {
        if (here->asid_next > riscv_facts.asid_max) {
            here->asid_next = 1;
            here->asid_epoch++;
            fence_all();
        }
        space->core = here->index + 1;
        space->epoch = here->asid_epoch;
        space->asid = here->asid_next++;
        space->satp = RISCV_SATP_SV39 | space->asid << RISCV_SATP_ASID_SHIFT | space->root >> OS2_PAGE_SHIFT;
        space->owes_fence = true;
    }
    csr_write(satp, space->satp);
    if (space->owes_fence) {
        fence_asid(space->asid);
        space->owes_fence = false;
    }
    set_context_words(here, space);
}

bool arch_space_current(const struct arch_space *space) {
    return (csr_read(satp) & RISCV_SATP_PPN_MASK) == space->root >> OS2_PAGE_SHIFT &&
           (!riscv_facts.asid_max || space->core == riscv_core(arch_core())->index + 1);
}

static void owe_fence(struct arch_space *space) {
    space->owes_fence = true;
    space->ctx = 0;
}

void arch_fence_address(struct arch_space *space, uint64_t va) {
    if (!arch_space_current(space))
        owe_fence(space);
    else if (riscv_facts.fences_global)
        fence_all();
    else
        __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(space->asid) : "memory");
}

void arch_fence_space(struct arch_space *space) {
    if (!arch_space_current(space))
        owe_fence(space);
    else
        fence_asid(space->asid);
}

void arch_fence_code(void) {
    __asm__ volatile("fence.i" ::: "memory");
}
