/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: the kernel's map, PCIDs, fences.
 *
 * The kernel's half of every root: RAM that is not reserved, writable and not executable, with the largest leaves, at
 * X86_DIRECT_BASE; device registers that the kernel uses, uncached, in the same window; and the image at its link
 * address, by segments. The image itself is reserved RAM, so no writable mapping of its code exists, but of what only
 * boot needs: that is RAM of the direct map from the start, and leaves the image's map when boot is over. All of it is
 * global: no change of CR3 touches it. SMEP and SMAP keep the kernel from running or reaching a program's pages where
 * the processor has them; it never means to.
 *
 * The cores' stacks are mapped a second time, behind the image, each with as much room below it where nothing is: who
 * needs more than its stack is told by a page fault, and overwrites nothing.
 *
 * PCIDs are each core's own, 1 to 4095; 0 is the kernel's root. A space that comes from another core, or from before
 * the last roll-over here, gets a fresh one, whose first load of CR3 flushes what is cached under it. What a space
 * loses while it is current is fenced at once; while it is not, the fence is owed until it is activated, by a load of
 * CR3 that flushes. Without PCIDs (or with the boot argument os2.noasid) every load of CR3 flushes all but the kernel's
 * map; it is left out only where the root is loaded already, by this same space, with no fence owed.
 *
 * The processor caches no entry that is not present, and a fault drops the translation that caused it: so a gained leaf
 * needs no fence, and there is no spurious fault to look for. A load of CR3 serializes, so arriving code needs none.
 *
 * Meltdown. There is one set of tables for user and kernel mode, and the kernel's half maps all RAM. On a processor
 * that forwards data from a page before it has checked the user bit (most of Intel's before 2019; not AMD's), any
 * program can read all memory. Separate tables would cost every system call two loads of CR3, on every processor; this
 * kernel does not have them, says so in its log when it starts on such a processor, and leaves the choice to whoever
 * runs programs they do not trust there. L1TF is not met: an entry that is not present is 0 and names frame 0, which is
 * never used.
 */
#include "arch/x86_64/x86.h"
#include "lib/string.h"

extern char boot_start[], boot_end[];
extern char image_start[], image_rodata[], image_data[], image_end[];
extern uint64_t x86_boot_root[512];

uint64_t x86_kernel_cr3;
static struct boot_range boot_part;
unsigned x86_leaf_top;

static uint64_t kernel_root[512] __attribute__((aligned(4096)));
static uint64_t image_pointers[512] __attribute__((aligned(4096)));
static uint64_t image_directory[512] __attribute__((aligned(4096)));
static uint64_t image_table[512] __attribute__((aligned(4096)));
static uint64_t stack_table[512] __attribute__((aligned(4096)));

/* For the boot map where no RAM below 4 GiB is free. */
#define BOOT_SPARE 4
static uint64_t boot_spare[BOOT_SPARE * 512] __attribute__((aligned(4096)));

#define KERNEL_R (X86_PTE_P | X86_PTE_G | X86_PTE_A | X86_PTE_D | X86_PTE_NX)
#define KERNEL_RW (KERNEL_R | X86_PTE_W)
#define KERNEL_RX (KERNEL_R & ~X86_PTE_NX)
#define TABLE (X86_PTE_P | X86_PTE_W | X86_PTE_A)
#define STACKS_BASE                                                                                                    \
    (X86_IMAGE_BASE + (UINT64_C(1) << 21)) /* the image's directory has one table for it, one for these */
#define STACKS_STRIDE (2 * KERNEL_STACK_SIZE)
#define PCID_MAX 4095
#define GIB (UINT64_C(1) << 30)

static uint64_t image_phys(const void *va) {
    return (uint64_t)(uintptr_t)va - X86_IMAGE_BASE;
}
static unsigned index_of(uint64_t va, unsigned level) {
    return va >> (OS2_PAGE_SHIFT + 9 * level) & 511;
}

static uint64_t *kernel_table(uint64_t *entry) {
    if (!(*entry & X86_PTE_P))
        *entry = kernel_table_alloc() | TABLE;
    return arch_phys_to_virt(*entry & X86_PTE_ADDRESS);
}

/* Map [base, end) in the direct window, page-aligned, with the largest leaves. */
static void map_direct(uint64_t base, uint64_t end, uint64_t flags) {
    for (uint64_t pa = base; pa < end;) {
        uint64_t *table = kernel_root;
        unsigned level = 3;
        uint64_t size = UINT64_C(1) << 39, va = pa + X86_DIRECT_BASE;
        while (level > 0 && (level > x86_leaf_top || pa & (size - 1) || size > end - pa)) {
            table = kernel_table(&table[index_of(va, level)]);
            level--;
            size >>= 9;
        }
        table[index_of(va, level)] = pa | flags | (level ? X86_PTE_LARGE : 0);
        pa += size;
    }
}

void x86_map_device(uint64_t base, uint64_t size) {
    map_direct(base & ~(OS2_PAGE_SIZE - 1), (base + size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1),
               KERNEL_RW | X86_PTE_UNCACHED);
}

static void map_image(void) {
    kernel_root[index_of(X86_IMAGE_BASE, 3)] = image_phys(image_pointers) | TABLE;
    image_pointers[index_of(X86_IMAGE_BASE, 2)] = image_phys(image_directory) | TABLE;
    image_directory[index_of(X86_IMAGE_BASE, 1)] = image_phys(image_table) | TABLE;
    image_directory[index_of(STACKS_BASE, 1)] = image_phys(stack_table) | TABLE;
    for (char *va = image_start; va < image_end; va += OS2_PAGE_SIZE)
        image_table[index_of((uint64_t)(uintptr_t)va, 0)] = image_phys(va) | (va < image_rodata ? KERNEL_RX
                                                                              : va < image_data ? KERNEL_R
                                                                                                : KERNEL_RW);
}

_Static_assert(CORES_MAX *STACKS_STRIDE <= UINT64_C(1) << 21, "the stacks have one table");

/* An entry that was not present is cached nowhere: no fence. */
uint64_t x86_map_stack(unsigned index, uint64_t top) {
    uint64_t va = STACKS_BASE + index * STACKS_STRIDE + KERNEL_STACK_SIZE;
    uint64_t pa = arch_virt_to_phys((const void *)(uintptr_t)(top - KERNEL_STACK_SIZE));
    for (uint64_t at = 0; at < KERNEL_STACK_SIZE; at += OS2_PAGE_SIZE)
        stack_table[index_of(va + at, 0)] = (pa + at) | KERNEL_RW;
    return va + KERNEL_STACK_SIZE;
}

bool x86_below_stack(uint64_t va) {
    return va >= STACKS_BASE && va < STACKS_BASE + CORES_MAX * STACKS_STRIDE &&
           (va - STACKS_BASE) % STACKS_STRIDE < KERNEL_STACK_SIZE;
}

struct boot_range arch_boot_part(void) {
    return boot_part;
}

/* Another core may keep what it never used. Nobody uses these addresses again. */
void arch_boot_over(void) {
    for (uint64_t at = 0; at < boot_part.size; at += OS2_PAGE_SIZE) {
        uint64_t va = X86_IMAGE_BASE + boot_part.base + at;
        image_table[index_of(va, 0)] = 0;
        invlpg(va);
    }
}

/* Does this processor let a program read what only the kernel may? Intel's do, unless they say that they do not. */
static bool melts(void) {
    struct x86_cpuid name = cpuid(0, 0);
    if (name.b != 0x756e6547 || name.d != 0x49656e69 || name.c != 0x6c65746e) /* "Genu" "ineI" "ntel" */
        return false;
    bool capabilities = name.a >= 7 && cpuid(7, 0).d >> 29 & 1;
    return !capabilities || !(msr_read(MSR_ARCH_CAPABILITIES) & 1);
}

void arch_kernel_map(const struct boot_info *info) {
    struct x86_facts *f = &x86_facts;
    for (struct boot_range r = {0}; boot_ram_next(info, &r);)
        map_direct(r.base, r.base + r.size, KERNEL_RW);
    map_image();
    boot_part = (struct boot_range){image_phys(boot_start), (uint64_t)(boot_end - boot_start)};
    map_direct(boot_part.base, boot_part.base + boot_part.size, KERNEL_RW);
    if (!f->x2apic)
        x86_map_device(f->lapic, OS2_PAGE_SIZE);
    for (unsigned i = 0; i < f->ioapic_count; i++)
        x86_map_device(f->ioapic[i].base, OS2_PAGE_SIZE);
    if (f->sleep.memory)
        x86_map_device(f->sleep.address, 1);
    if (f->reset.memory)
        x86_map_device(f->reset.address, 1);
    f->debug_exit = boot_argument(info, "os2.debug_exit");
    f->pcid = f->pcid && !boot_argument(info, "os2.noasid");
    f->short_ways = !boot_argument(info, "os2.noshort");
    cr_write(cr3, image_phys(kernel_root));
    log_line("4-level tables, leaves to %s, %s%s%s%s%s", x86_leaf_top == 2 ? "1 GiB" : "2 MiB",
             f->pcid ? "PCIDs" : "no PCIDs", f->cr4 & CR4_SMEP ? ", SMEP" : "", f->cr4 & CR4_SMAP ? ", SMAP" : "",
             f->cr4 & CR4_UMIP ? ", UMIP" : "", f->x2apic ? ", x2APIC" : "");
    if (melts())
        log_line("this processor may let any program read all memory (Meltdown); this kernel does not prevent it");
    /* From here on other cores may come in. */
    root_keep(kernel_root);
    arch_store_release(&x86_kernel_cr3, image_phys(kernel_root));
}

/* The next GiB from `gib` on in which there is RAM; 0: none. */
static uint64_t next_gib(const struct boot_info *info, uint64_t gib) {
    for (unsigned i = 0; i < info->ram_count; i++) { /* they are sorted */
        uint64_t base = info->ram[i].base / GIB;
        if (info->ram[i].base + info->ram[i].size > gib * GIB)
            return base > gib ? base : gib;
    }
    return 0;
}

/* So many more tables does the boot map need for it, when those of this part of 512 GiB are there. */
static uint64_t tables_for(uint64_t gib, uint64_t part) {
    return (x86_leaf_top < 2 ? 1u : 0u) + (gib / 512 != part ? 1u : 0u);
}

/* Pages for the boot map's tables. */
struct boot_tables {
    uint64_t *next; /* cleared */
    uint64_t phys, left;
};

static uint64_t *boot_table(struct boot_tables *tables, uint64_t *entry) {
    uint64_t *table = tables->next;
    memset(table, 0, OS2_PAGE_SIZE);
    *entry = tables->phys | TABLE;
    tables->next += 512;
    tables->phys += OS2_PAGE_SIZE;
    tables->left--;
    return table;
}

void x86_boot_map(struct boot_info *info) {
    uint64_t pages = 0, part = 0; /* the part of the first 512 GiB is there */
    for (uint64_t g = next_gib(info, 4); g; g = next_gib(info, g + 1)) {
        pages += tables_for(g, part);
        part = g / 512;
    }
    uint64_t room = pages ? boot_room(info, pages * OS2_PAGE_SIZE, 4 * GIB) : 0;
    struct boot_tables tables = {boot_spare, image_phys(boot_spare), BOOT_SPARE};
    if (room) {
        boot_reserve(info, room, pages * OS2_PAGE_SIZE);
        tables = (struct boot_tables){arch_phys_to_virt(room), room, pages};
    }
    uint64_t *pointers = arch_phys_to_virt(x86_boot_root[256] & X86_PTE_ADDRESS);
    part = 0;
    for (uint64_t g = next_gib(info, 4); g; g = next_gib(info, g + 1)) {
        if (tables_for(g, part) > tables.left) {
            boot_limit(info, g * GIB);
            return;
        }
        if (g / 512 != part)
            pointers = boot_table(&tables, &x86_boot_root[256 + g / 512]);
        part = g / 512;
        if (x86_leaf_top == 2) {
            pointers[g % 512] = g * GIB | X86_PTE_P | X86_PTE_W | X86_PTE_LARGE;
            continue;
        }
        uint64_t *directory = boot_table(&tables, &pointers[g % 512]);
        for (unsigned i = 0; i < 512; i++)
            directory[i] = (g * GIB + ((uint64_t)i << 21)) | X86_PTE_P | X86_PTE_W | X86_PTE_LARGE;
    }
}

/* ---- Spaces. ---- */

/* Drop all translations of all PCIDs, the kernel's too. */
static void fence_all(void) {
    uint64_t cr4 = cr_read(cr4);
    cr_write(cr4, cr4 & ~CR4_PGE);
    cr_write(cr4, cr4);
}

void arch_space_activate(struct core *core, struct arch_space *space) {
    struct arch_core *here = x86_core(core);
    here->fp_owner = NULL; /* whoever was parked may run elsewhere from here on: what it left here is old */
    here->place = here->bare_place = X86_NOWHERE;
    if (!space) {
        cr_write(cr3, x86_kernel_cr3 | (x86_facts.pcid ? CR3_KEEP : 0));
        return;
    }
    bool stranger = space->core != here->index + 1 || space->epoch != here->pcid_epoch;
    space->place = space->bare_place = 0;
    if (!x86_facts.pcid && !stranger && !space->owes_fence && arch_space_current(space))
        return;
    if (stranger) {
        if (x86_facts.pcid && here->pcid_next > PCID_MAX) {
            here->pcid_next = 1;
            here->pcid_epoch++;
            fence_all();
        }
        space->core = here->index + 1;
        space->epoch = here->pcid_epoch;
        space->cr3 = space->root | (x86_facts.pcid ? here->pcid_next++ | CR3_KEEP : 0);
        space->owes_fence = true;
    }
    cr_write(cr3, space->owes_fence ? space->cr3 & ~CR3_KEEP : space->cr3);
    space->owes_fence = false;
}

void x86_space_entered(struct arch_core *here, const struct arch_context *context, struct arch_space *space) {
    bool placed = x86_facts.short_ways && !context->port_ranges, plain = placed && !space->fp_live && !context->fs;
    uint64_t word = here->run_word + here->pcid_epoch;
    here->place = placed ? word : X86_NOWHERE;
    here->bare_place = plain ? word : X86_NOWHERE;
    space->place = placed ? word : 0;
    space->bare_place = plain ? word : 0;
}

bool arch_space_current(const struct arch_space *space) {
    return (cr_read(cr3) & X86_PTE_ADDRESS) == space->root && space->core == x86_core(arch_core())->index + 1;
}

/* A space may be in CR3 of a core that has already published it: then its fence is owed too, see
 * arch_space_activate(). */
static void owe_fence(struct arch_space *space) {
    space->owes_fence = true;
    space->place = space->bare_place = 0;
}

void arch_fence_address(struct arch_space *space, uint64_t va) {
    if (arch_space_current(space))
        invlpg(va);
    else
        owe_fence(space);
}

void arch_fence_space(struct arch_space *space) {
    if (arch_space_current(space))
        cr_write(cr3, space->cr3 & ~CR3_KEEP);
    else
        owe_fence(space);
}

void arch_fence_code(void) {}
