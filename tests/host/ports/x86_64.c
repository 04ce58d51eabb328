/* SPDX-License-Identifier: MIT */
/*
 * The address spaces of arch/x86_64/mmu.c, word for word, on simulated hardware: what is between its fence_all() and
 * its arch_fence_code() is included below (derive.py, meson.build).
 */
#include "tests/host/internal.h"

#define PCID_MAX 5 /* so few that they run out all the time */
#define PCID_MASK UINT64_C(0xfff)
#define X86_PTE_ADDRESS UINT64_C(0x000ffffffffff000)
#define CR3_KEEP (UINT64_C(1) << 63)
#define CR4_PGE (UINT64_C(1) << 7)
#define X86_NOWHERE UINT64_MAX

static struct { bool pcid, short_ways; } x86_facts;
static const uint64_t x86_kernel_cr3;
static uint64_t cr3[CORES_MAX];

static unsigned here_index(void) {
    return ((struct arch_core *)host_core)->index;
}
static struct arch_core *x86_core(struct core *core) {
    return (struct arch_core *)core;
}
static uint64_t read_cr3(void) {
    return cr3[here_index()];
}
/* A load without the bit that keeps what is cached drops all of its number; without PCIDs there is only number 0. */
static void write_cr3(uint64_t value) {
    uint64_t number = value & PCID_MASK;
    cr3[here_index()] = value & ~CR3_KEEP;
    tlb_load(here_index(), value & X86_PTE_ADDRESS, number);
    if (!(value & CR3_KEEP))
        tlb_fence(here_index(), TLB_ASID, 0, number);
}
static uint64_t read_cr4(void) {
    return CR4_PGE;
}
static void write_cr4(uint64_t value) {
    (void)value;
    tlb_fence(here_index(), TLB_ALL, 0, 0);
}
static void invlpg(uint64_t va) {
    tlb_fence(here_index(), TLB_PAGE, va, read_cr3() & PCID_MASK);
}
#define cr_read(name) read_##name()
#define cr_write(name, value) write_##name(value)

#ifndef PORT_MMU
#define PORT_MMU "x86_64_mmu.h"
#endif
#include PORT_MMU

struct tlb_kind space_reset(enum host_mmu mmu) {
    x86_facts.pcid = mmu != HOST_MMU_NO_ASIDS;
    x86_facts.short_ways = true;
    for (unsigned i = 0; i < CORES_MAX; i++)
        cr3[i] = x86_kernel_cr3;
    return (struct tlb_kind){.sets_accessed = true, .late_walks = mmu == HOST_MMU_IMPOSSIBLE};
}

void arch_space_init(struct arch_space *space, uint64_t *root) {
    *space = (struct arch_space){.root = arch_virt_to_phys(root)};
    root[511] = arch_pte_table(HOST_RAM_BASE); /* the kernel's half, which no walk may enter */
}

void arch_space_fini(uint64_t *root) {
    root[511] = 0;
}

/* As in its port.h. */
bool arch_space_plain(struct core *core, const struct arch_space *space) {
    host_point();
    return x86_core(core)->place == space->place;
}
void arch_fence_plain(struct arch_space *space, uint64_t va) {
    (void)space;
    invlpg(va);
}
void arch_fence_plain_space(struct arch_space *space) {
    arch_fence_space(space);
}

void space_entered(struct core *core, const struct arch_context *context, struct arch_space *space) {
    x86_space_entered(x86_core(core), context, space);
}

void arch_space_switch(struct core *core, const struct arch_space *space) {
    (void)core;
    cr_write(cr3, space->cr3);
}
