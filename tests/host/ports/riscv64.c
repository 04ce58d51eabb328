/* SPDX-License-Identifier: MIT */
/*
 * The address spaces of arch/riscv64/mmu.c, word for word, on simulated hardware: what is between its fence_all() and
 * its arch_fence_code() is included below, with its instructions replaced (derive.py, meson.build).
 */
#include "tests/host/internal.h"

#define ASID_MAX 5 /* so few that they run out all the time */

#define RISCV_SATP_SV39 (UINT64_C(8) << 60)
#define RISCV_SATP_ASID_SHIFT 44
#define RISCV_SATP_PPN_MASK ((UINT64_C(1) << 44) - 1)
#define RISCV_SSTATUS_FS 0
#define RISCV_NOWHERE UINT64_MAX
#define RISCV_PLACE_FP_LIVE 1
#define RISCV_PLACE_FP_ON 2
#define RISCV_PLACE_EPOCH_SHIFT 2
#define RISCV_FENCE_ALL (-1)

static struct {
    uint64_t asid_max;
    bool fences_global;
} riscv_facts;
static const uint64_t riscv_kernel_satp = RISCV_SATP_SV39;
static uint64_t satp[CORES_MAX];

static unsigned here_index(void) {
    return ((struct arch_core *)host_core)->index;
}
static struct arch_core *riscv_core(struct core *core) {
    return (struct arch_core *)core;
}
static uint64_t read_satp(void) {
    return satp[here_index()];
}
static void write_satp(uint64_t value) {
    satp[here_index()] = value;
    tlb_load(here_index(), (value & RISCV_SATP_PPN_MASK) << OS2_PAGE_SHIFT,
             value >> RISCV_SATP_ASID_SHIFT & UINT64_C(0xffff));
}
static uint64_t read_sstatus(void) {
    return 0;
}
#define csr_read(name) read_##name()
#define csr_write(name, value) write_##name(value)
#define SFENCE_ALL() tlb_fence(here_index(), TLB_ALL, 0, 0)
#define SFENCE_ASID(asid) tlb_fence(here_index(), TLB_ASID, 0, (uint64_t)(asid))
#define SFENCE_ADDRESS(va, asid) tlb_fence(here_index(), TLB_ADDRESS, va, (uint64_t)(asid))

#ifndef PORT_MMU
#define PORT_MMU "riscv64_mmu.h"
#endif
#include PORT_MMU

struct tlb_kind space_reset(enum host_mmu mmu) {
    riscv_facts.asid_max = mmu == HOST_MMU_NO_ASIDS || mmu == HOST_MMU_ERRATUM ? 0 : ASID_MAX;
    riscv_facts.fences_global = mmu == HOST_MMU_GLOBAL || mmu == HOST_MMU_ERRATUM;
    for (unsigned i = 0; i < CORES_MAX; i++)
        satp[i] = riscv_kernel_satp;
    return (struct tlb_kind){
        .caches_invalid = true,
        .late_walks = true,
        .sets_accessed = mmu == HOST_MMU_IMPOSSIBLE,
        .only_all = mmu == HOST_MMU_GLOBAL || mmu == HOST_MMU_ERRATUM,
    };
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
    return riscv_core(core)->place == space->place;
}
void arch_fence_plain(struct arch_space *space, uint64_t va) {
    if (space->asid >= 0)
        SFENCE_ADDRESS(va, space->asid);
    else
        SFENCE_ALL();
}
void arch_fence_plain_space(struct arch_space *space) {
    fence_asid(space->asid);
}

void space_entered(struct core *core, const struct arch_context *context, struct arch_space *space) {
    (void)core;
    (void)context;
    (void)space;
}

void arch_space_switch(struct core *core, const struct arch_space *space) {
    (void)core;
    csr_write(satp, space->satp);
    if (space->asid <= 0)
        fence_asid(space->asid);
}
