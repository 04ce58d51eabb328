/* SPDX-License-Identifier: MIT */
/*
 * The host port, inline half: the kernel's own mm/, core/ and ipc/ as a host program; see arch/arch.h for the contract
 * and tests/host/host.h for what a test does with it.
 *
 * Physical memory is one mapping of the host; an address in it is host_direct + physical address. Page tables have four
 * levels and entries of an encoding that no processor has, so that nothing outside a port can rely on one.
 *
 * Every ordered access passes host_point(): there a simulated core may be stopped in the middle of the kernel while
 * another one goes on, and the hardware of any core may walk its tables. So do arch_space_plain(), and the plain loads
 * by which light_notify() looks at a process before it holds it: derive.py puts them there. Between two such points a
 * core is not disturbed, and memory is sequentially consistent: weak memory is the business of the litmus tests.
 */
#ifndef TESTS_HOST_PORT_H
#define TESTS_HOST_PORT_H

#define ARCH_NAME "host"
#define ARCH_TOP_LEVEL 3
#define ARCH_USER_END (UINT64_C(1) << 47)

struct arch_context {
    uint64_t pc, sp, gp, tp, fs;
    uint8_t port_ranges;
    bool again; /* the same system call is to be made again */
};

/* The last rows of both: what the mmu.c of the other ports keep, where those are simulated (ports/). */
struct arch_core {
    unsigned index;
    uint64_t timer; /* when the timer fires; UINT64_MAX: never */
    bool ipi;       /* one is pending */
    bool held;      /* and is not taken, nor any other interrupt but the timer's */
    uint64_t run_word, place, bare_place, asid_next, asid_epoch, pcid_next, pcid_epoch;
    const struct arch_context *fp_owner;
};

struct arch_space {
    uint64_t root; /* physical */
    int64_t asid;
    uint32_t core; /* index + 1 of the core whose ASID it is; 0: none */
    bool owes_fence;
    uint64_t satp, cr3, place, bare_place, epoch;
    bool fp_live;
};

extern uintptr_t host_direct;  /* where physical address 0 would be */
extern uint64_t host_clock;    /* ticks */
extern uint64_t host_look;     /* ticks that pass while the kernel looks at the clock: 1, or more on a slow machine */
extern struct core *host_core; /* the simulated core that is executing */
extern bool host_disturbed;    /* something may happen at a point */
extern bool host_switching;    /* another core may go on there */
void host_disturb(void);       /* perhaps a walk of hardware's, perhaps another core goes on */
void host_give_way(void);      /* let another core go on: this one cannot */

static inline void host_point(void) {
    if (host_disturbed)
        host_disturb();
}

static inline void *arch_phys_to_virt(uint64_t pa) {
    return (void *)(host_direct + (uintptr_t)pa);
}
static inline uint64_t arch_virt_to_phys(const void *va) {
    return (uint64_t)((uintptr_t)va - host_direct);
}

void host_code_arrived(uint64_t pa); /* see tlb.c */

/* An entry: valid 1, leaf 2, protection << 2, device 32, accessed, address in bits 12 to 51. */
#define HOST_PTE_ACCESSED UINT64_C(64)
static inline uint64_t arch_pte_leaf(uint64_t pa, unsigned prot, unsigned level, bool device) {
    (void)level;
    if (prot & OS2_PROT_EXEC)
        host_code_arrived(pa);
    return pa | 3u | prot << 2 | (device ? 32u : 0);
}
static inline uint64_t arch_pte_table(uint64_t pa) {
    return pa | 1u;
}
static inline bool arch_pte_valid(uint64_t pte) {
    return pte & 1u;
}
static inline bool arch_pte_is_leaf(uint64_t pte, unsigned level) {
    (void)level;
    return pte & 2u;
}
static inline uint64_t arch_pte_address(uint64_t pte) {
    return pte & UINT64_C(0xffffffffff000);
}
static inline unsigned arch_pte_prot(uint64_t pte) {
    return pte >> 2 & 7u;
}

static inline void arch_fence(void) {
    host_point();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline void arch_fence_release(void) {
    host_point();
    __atomic_thread_fence(__ATOMIC_RELEASE);
}
#define arch_load_relaxed(p) (host_point(), __atomic_load_n(p, __ATOMIC_RELAXED))
#define arch_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
static inline void arch_store_release(uint64_t *p, uint64_t v) {
    host_point();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
static inline uint64_t arch_load_acquire(const uint64_t *p) {
    host_point();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline bool arch_cas_full(uint64_t *p, uint64_t expected, uint64_t desired) {
    host_point();
    bool won = __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return won;
}
static inline uint64_t arch_swap_full(uint64_t *p, uint64_t v) {
    host_point();
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
static inline void arch_relax(void) {
    host_give_way();
}

static inline unsigned arch_leaf_top(void) {
    return 2;
}
bool arch_space_current(const struct arch_space *space);
bool arch_space_plain(struct core *core, const struct arch_space *space);
void arch_space_switch(struct core *core, const struct arch_space *space);
static inline void arch_space_spoil(struct arch_space *space) {
    space->place = space->bare_place = 0;
}
void arch_fence_address(struct arch_space *space, uint64_t va);
void arch_fence_plain(struct arch_space *space, uint64_t va);
void arch_fence_space(struct arch_space *space);
void arch_fence_plain_space(struct arch_space *space);
static inline struct core *arch_core(void) {
    return host_core;
}
static inline unsigned arch_core_index(void) {
    return ((const struct arch_core *)arch_core())->index;
}
/* Time passes by being looked at, so that no loop that waits for a moment is endless. */
static inline uint64_t arch_clock(void) {
    return host_clock += host_look;
}

static inline void arch_context_argument(uint64_t *reg, uint64_t value) {
    reg[OS2_R_CONTROL] = value;
}
static inline void arch_context_restart(struct arch_context *context) {
    context->again = true;
}

#endif
