/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: the kernel's map, ASIDs, fences.
 *
 * The kernel's half of every root is one set of tables, see map.c: RAM that is not reserved, writable, with the largest
 * leaves, at RISCV_DIRECT_BASE; device registers that the kernel uses, in the same window; and the image at its link
 * address, by segments. The image itself is reserved RAM, so no writable mapping of its code exists, but of what only
 * boot needs: that is RAM of the direct map from the start, and leaves the image's map when boot is over.
 *
 * ASIDs are each core's own, 1 to asid_max; 0 is the kernel's root. A space that comes from another core, or from
 * before the last roll-over here, gets a fresh ASID with one local fence; an old one is never resumed. What a space
 * loses while it is current is fenced at once; while it is not, the fence is owed until it is activated. No core ever
 * fences for another: a process runs on one core, and its translations elsewhere are under ASIDs that are not used
 * again before a roll-over there, which fences everything.
 *
 * With asid_max 0 (U54, U74, or the boot argument os2.noasid) all programs use ASID 0, and every write of satp is
 * followed by a fence of it, which spares the kernel's entries, since they are global. So nothing is ever owed. The
 * short ways write satp themselves, with no fence, so that they cost nothing where there are ASIDs. Where there are
 * none, each such write becomes at boot a jump to one with a fence behind it (entry.S: root_load). Rejected: a test at
 * each switch, which all would pay for, and a second assembly of the entry path, 2 KiB that nobody runs.
 *
 * Where only sfence.vma x0, x0 may be used (errata of the FU540 and FU740, or the boot argument os2.fences=global)
 * every fence is one of all: RISCV_FENCE_ALL is in the place of each ASID that a fence would name.
 */
#include "arch/riscv64/riscv.h"
#include "lib/string.h"

extern char boot_start[], boot_end[];
extern char image_start[], image_end[];

uint64_t riscv_kernel_satp;
uint64_t riscv_secondary_satp __attribute__((section(".data"))); /* read before .bss is cleared */

struct riscv_tables riscv_tables;
static struct boot_range boot_part;
static struct boot_range pool; /* of tables for the direct map; all of it is shown by its window while it lasts */

static uint64_t image_phys(const void *va) {
    return (uint64_t)(uintptr_t)va - RISCV_IMAGE_BASE + riscv_facts.image_base;
}

/* Kernel text in the image at `at`, before anybody runs it. */
static void code_write(uint64_t at, uint32_t code) {
    uint16_t *shown = riscv_show(RISCV_WINDOW_TABLES, at - RISCV_IMAGE_BASE + riscv_facts.image_base, sizeof code);
    shown[0] = (uint16_t)code;
    shown[1] = (uint16_t)(code >> 16);
    riscv_show(RISCV_WINDOW_TABLES, 0, 0);
}

/* With no ASIDs: a fence behind each root that the short ways load. Other cores fetch none of this before they are in
 * arch_core_init(), which fences. */
static void fence_short_ways(void) {
    for (const struct riscv_root_load *root = riscv_root_loads; root != riscv_root_loads_end; root++) {
        if (riscv_facts.fences_global)
            code_write(root->fence, RISCV_SFENCE_ALL);
        code_write(root->at, riscv_jump((int64_t)(root->fenced - root->at)));
    }
    arch_fence_code();
}

static void fence_map(void) {
    __asm__ volatile("sfence.vma" ::: "memory");
}

uint64_t riscv_table_new(void) {
    if (!pool.size)
        return kernel_table_alloc();
    uint64_t at = pool.base;
    pool.base += OS2_PAGE_SIZE;
    pool.size -= OS2_PAGE_SIZE;
    return at;
}

/* The first tables are in the image, which the direct map leaves out. */
uint64_t *riscv_table(uint64_t pa) {
    if (pa >= riscv_facts.image_base && pa < image_phys(image_end))
        return (uint64_t *)(uintptr_t)(pa - riscv_facts.image_base + RISCV_IMAGE_BASE);
    const uint64_t *shown = riscv_tables.window[RISCV_WINDOW_TABLES];
    for (uint64_t i = 0; i < 512 && arch_pte_valid(shown[i]); i++)
        if (arch_pte_address(shown[i]) == pa)
            return (uint64_t *)(uintptr_t)(RISCV_WINDOW_BASE(RISCV_WINDOW_TABLES) + i * OS2_PAGE_SIZE);
    return arch_phys_to_virt(pa);
}

void *riscv_show(unsigned which, uint64_t pa, uint64_t size) {
    if (!riscv_window(&riscv_tables, which, pa, size))
        return NULL;
    fence_map();
    return (void *)(uintptr_t)(RISCV_WINDOW_BASE(which) + (pa & (OS2_PAGE_SIZE - 1)));
}

void riscv_map_ram(struct boot_info *info) {
    uint64_t size = riscv_direct_tables(info) * OS2_PAGE_SIZE, at = size ? boot_room(info, size, UINT64_MAX) : 0;
    if (!at)
        panic("no RAM for the kernel's page tables");
    info->kept[info->kept_count++] = pool = (struct boot_range){at, size};
    _Static_assert(2 * BOOT_RANGES * 2 * ARCH_TOP_LEVEL * OS2_PAGE_SIZE <= RISCV_WINDOW_SIZE,
                   "each bank and each reserved range ends one range to map, whose two ends take a table a level");
    memset(riscv_show(RISCV_WINDOW_TABLES, at, size), 0, size);
    riscv_direct_ram(&riscv_tables, info);
    riscv_show(RISCV_WINDOW_TABLES, 0, 0);
}

void riscv_map_device(uint64_t base, uint64_t size) {
    riscv_direct_map(&riscv_tables, base & ~(OS2_PAGE_SIZE - 1),
                     (base + size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1));
}

/* Other cores fence when they turn their MMU on; that is later. */
uint64_t riscv_map_stack(unsigned index, uint64_t top) {
    uint64_t pa = arch_virt_to_phys((const void *)(uintptr_t)(top - KERNEL_STACK_SIZE));
    uint64_t mapped = riscv_stack_map(&riscv_tables, index, pa);
    fence_map();
    return mapped;
}

struct boot_range arch_boot_part(void) {
    return boot_part;
}

/* Another core may keep what it never used. Nobody uses these addresses again. */
void arch_boot_over(void) {
    uint64_t first = (boot_part.base - riscv_facts.image_base) >> OS2_PAGE_SHIFT;
    for (uint64_t i = 0; i < boot_part.size >> OS2_PAGE_SHIFT; i++)
        riscv_tables.image[first + i] = 0;
    fence_map();
}

/* How many ASID bits satp keeps. */
static uint64_t probe_asids(void) {
    uint64_t satp = csr_read(satp);
    csr_write(satp, satp | RISCV_SATP_ASID_MASK << RISCV_SATP_ASID_SHIFT);
    uint64_t found = csr_read(satp) >> RISCV_SATP_ASID_SHIFT & RISCV_SATP_ASID_MASK;
    csr_write(satp, satp);
    return found;
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
            check_table(riscv_table(arch_pte_address(pte)), level - 1, at);
    }
}

void arch_kernel_map(const struct boot_info *info) {
    if (riscv_facts.plic.size)
        riscv_map_device(riscv_facts.plic.base, riscv_facts.plic.size);
    if (riscv_facts.test_device)
        riscv_map_device(riscv_facts.test_device, OS2_PAGE_SIZE);
    boot_part = (struct boot_range){image_phys(boot_start), (uint64_t)(boot_end - boot_start)};
    riscv_direct_map(&riscv_tables, boot_part.base, boot_part.base + boot_part.size);
    fence_map();

    uint64_t asids = probe_asids();
    bool broken = riscv_fences_broken(sbi_about(SBI_MVENDORID), sbi_about(SBI_MARCHID), sbi_about(SBI_MIMPID));
    riscv_facts.short_ways = !boot_argument(info, "os2.noshort");
    riscv_facts.asid_max = broken || boot_argument(info, "os2.noasid") ? 0 : asids;
    riscv_facts.fences_global = broken || boot_argument(info, "os2.fences=global");
    if (!riscv_facts.asid_max)
        fence_short_ways();
    log_line("Sv39, ASIDs 0..%lu%s, fences %s, timer by %s", asids, riscv_facts.asid_max ? "" : " not used",
             broken ? "global: erratum" : (riscv_facts.fences_global ? "global" : "by address and ASID"),
             riscv_facts.sstc ? "stimecmp" : "SBI");
    check_table(riscv_tables.root, 2, 0);
    root_keep(riscv_tables.root);
    if (riscv_facts.plic.size)
        plic_init();
    riscv_kernel_satp = csr_read(satp);
}

static void fence_all(void) {
    __asm__ volatile("sfence.vma" ::: "memory");
}
static void fence_asid(int64_t asid) {
    if (asid == RISCV_FENCE_ALL)
        fence_all();
    else
        __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

/* The number that fences of an ASID name. */
static int64_t fence_number(uint64_t asid) {
    return riscv_facts.fences_global ? RISCV_FENCE_ALL : (int64_t)asid;
}

/* The word by which the entry path knows that a process may be entered here by writing satp alone: this core, this ASID
 * epoch, no floating-point state in the registers nor to be put there. It is also what the entry path writes into the
 * state word of one that it claims. A space's is 0 while it owes a fence. */
static void set_places(struct arch_core *here, struct arch_space *space) {
    uint64_t word = here->run_word + (here->asid_epoch << RISCV_PLACE_EPOCH_SHIFT);
    here->place = csr_read(sstatus) & RISCV_SSTATUS_FS ? word | RISCV_PLACE_FP_ON : word;
    space->place = word | (space->fp_live ? RISCV_PLACE_FP_LIVE : 0);
}

/* A space that comes from another core, or from before the last roll-over. */
static void give_asid(struct arch_core *here, struct arch_space *space) {
    if (riscv_facts.asid_max && here->asid_next > riscv_facts.asid_max) {
        here->asid_next = 1;
        here->asid_epoch++;
        fence_all();
    }
    uint64_t asid = riscv_facts.asid_max ? here->asid_next++ : 0;
    space->core = here->index + 1;
    space->epoch = here->asid_epoch;
    space->asid = fence_number(asid);
    space->satp = RISCV_SATP_SV39 | asid << RISCV_SATP_ASID_SHIFT | space->root >> OS2_PAGE_SHIFT;
    space->owes_fence = true;
}

void arch_space_activate(struct core *core, struct arch_space *space) {
    struct arch_core *here = riscv_core(core);
    if (!space) {
        csr_write(satp, riscv_kernel_satp);
        if (!riscv_facts.asid_max) /* the kernel's root has their ASID: no walk may go on in tables that are left */
            fence_asid(fence_number(0));
        here->place = RISCV_NOWHERE;
        return;
    }
    bool plain = arch_space_plain(core, space);
    if (!plain && (space->core != here->index + 1 || space->epoch != here->asid_epoch))
        give_asid(here, space);
    csr_write(satp, space->satp);
    if (space->owes_fence || !riscv_facts.asid_max) {
        fence_asid(space->asid);
        space->owes_fence = false;
    }
    if (!plain)
        set_places(here, space);
}

bool arch_space_current(const struct arch_space *space) {
    return (csr_read(satp) & RISCV_SATP_PPN_MASK) == space->root >> OS2_PAGE_SHIFT &&
           (!riscv_facts.asid_max || space->core == riscv_core(arch_core())->index + 1);
}

/* Not where every switch fences. */
static void owe_fence(struct arch_space *space) {
    if (!riscv_facts.asid_max)
        return;
    space->owes_fence = true;
    space->place = 0;
}

void arch_fence_address(struct arch_space *space, uint64_t va) {
    if (!arch_space_current(space))
        owe_fence(space);
    else if (space->asid == RISCV_FENCE_ALL)
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
