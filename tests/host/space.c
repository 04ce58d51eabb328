/* SPDX-License-Identifier: MIT */
/*
 * The host port's own address spaces, in the simplest way that the contract allows: an address-space number is used
 * once, on one core, and never again. The simulation also runs with those of the real ports, see tests/host/ports/.
 */
#include "tests/host/internal.h"

static uint64_t next_asid;

struct tlb_kind space_reset(enum host_mmu mmu) {
    next_asid = 1;
    return (struct tlb_kind){
        .caches_invalid = true,
        .late_walks = true,
        .sets_accessed = mmu == HOST_MMU_IMPOSSIBLE,
    };
}

void arch_space_init(struct arch_space *space, uint64_t *root) {
    *space = (struct arch_space){.root = arch_virt_to_phys(root)};
    root[511] = arch_pte_table(HOST_RAM_BASE); /* the kernel's half, which no walk may enter */
}

void arch_space_fini(uint64_t *root) {
    root[511] = 0;
}

static unsigned here(void) {
    return ((struct arch_core *)host_core)->index;
}

bool arch_space_current(const struct arch_space *space) {
    return tlb_root(here()) == space->root && space->core == here() + 1;
}

bool arch_space_plain(struct core *core, const struct arch_space *space) {
    host_point();
    return space->core == ((struct arch_core *)core)->index + 1 && !space->owes_fence && space->place;
}

void arch_space_activate(struct core *core, struct arch_space *space) {
    unsigned index = ((struct arch_core *)core)->index;
    if (!space) {
        tlb_load(index, 0, 0);
        return;
    }
    if (space->core != index + 1) {
        space->core = index + 1;
        space->asid = next_asid++;
        space->owes_fence = false; /* nothing was ever kept under that number */
    }
    tlb_load(index, space->root, space->asid);
    if (space->owes_fence)
        tlb_fence(index, TLB_ASID, 0, space->asid);
    space->owes_fence = false;
    space->place = 1; /* not spoilt */
}

void space_entered(struct core *core, const struct arch_context *context, struct arch_space *space) {
    (void)core;
    (void)context;
    (void)space;
}

void arch_space_switch(struct core *core, const struct arch_space *space) {
    tlb_load(((struct arch_core *)core)->index, space->root, space->asid);
}

void arch_fence_address(struct arch_space *space, uint64_t va) {
    if (arch_space_current(space))
        tlb_fence(here(), TLB_ADDRESS, va, space->asid);
    else
        space->owes_fence = true;
}

void arch_fence_space(struct arch_space *space) {
    if (arch_space_current(space))
        tlb_fence(here(), TLB_ASID, 0, space->asid);
    else
        space->owes_fence = true;
}

void arch_fence_plain(struct arch_space *space, uint64_t va) {
    arch_fence_address(space, va);
}

void arch_fence_plain_space(struct arch_space *space) {
    arch_fence_space(space);
}
