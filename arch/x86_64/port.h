/* SPDX-License-Identifier: MIT */
/* The inline half of the x86_64 port; see arch/arch.h for the contract. Long mode, 4-level tables, SSE2. */
#ifndef ARCH_X86_64_PORT_H
#define ARCH_X86_64_PORT_H

#define ARCH_NAME "x86_64"
#define ARCH_TOP_LEVEL 3

/* The last page below the canonical hole is never mapped: a system call in its last two bytes would return to an
 * address that is not canonical, and sysret faults on such a one in ring 0, on the program's stack. */
#define ARCH_USER_END ((UINT64_C(1) << 47) - OS2_PAGE_SIZE)

/* Kernel half: the direct map, 64 TiB of physical addresses, and the image in the last 2 GiB. */
#define X86_DIRECT_BASE UINT64_C(0xffff800000000000)
#define X86_DIRECT_SIZE (UINT64_C(1) << 46)
#define X86_IMAGE_BASE UINT64_C(0xffffffff80000000)

/* Ranges of I/O ports that one process may use. */
#define X86_PORT_RANGES 4
struct x86_ports {
    uint16_t first, last;
};

/* Registers of a stopped process beside the ABI's ten. fs, the base of the segment, is a constant: loaded, never saved.
 * */
struct arch_context {
    uint64_t pc, sp, fs;
    uint64_t rbp, r14, r15;
    uint32_t mxcsr; /* the control words of floating point are all that a call keeps */
    uint16_t fcw;
    uint8_t port_ranges;
    struct x86_ports ports[X86_PORT_RANGES];
};

/* The task state segment (SDM 3A, 8.7): the stacks of traps, and which I/O ports are open. */
struct x86_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_base;     /* offset of io_map in this structure; past the limit: no port is open */
    uint8_t io_map[8193]; /* a bit for each port, 1: closed; one byte more, all ones */
} __attribute__((packed, aligned(128)));

#define X86_GDT_ENTRIES 8
#define X86_TRAP_STACKS 4
#define X86_TRAP_STACK 2048

#define X86_NOWHERE UINT64_MAX /* equals no space's place or bare_place */

/* First in struct core, reached through gs. Entry code knows these offsets. */
struct arch_core {
    struct core *self;   /* arch_core() */
    uint64_t stack_top;  /* kernel stack */
    uint64_t run_word;   /* the state word of a process that this core runs, its low 44 bits 0 */
    uint64_t place;      /* run_word + epoch; X86_NOWHERE while the current process is not to be left the short way */
    uint64_t bare_place; /* the same, but X86_NOWHERE too while that process uses floating point or fs */
    uint32_t index;
    uint32_t apic;                       /* firmware's number */
    uint8_t vector;                      /* of the source that interrupted, 0: none; see arch_irq_take() */
    uint64_t pcid_next, pcid_epoch;      /* epoch is never 0 */
    const struct arch_context *fp_owner; /* whose control words are loaded; NULL: nobody's, or old ones */
    bool fp_dirty;                       /* floating-point registers are not in their initial state */
    bool fp_on;                          /* CR0.TS is clear */
    uint8_t port_ranges;                 /* open in io_map */
    struct x86_ports ports[X86_PORT_RANGES];
    uint64_t gdt[X86_GDT_ENTRIES];
    struct x86_tss tss;
    /* Stacks of exceptions: entry.S. Above each is this struct's address, which it finds there and nowhere else. */
    struct {
        uint8_t bytes[X86_TRAP_STACK - 16];
        struct core *core;
        uint64_t unused; /* the processor aligns them to 16 bytes */
    } __attribute__((aligned(16))) trap_stack[X86_TRAP_STACKS];
};

/* In struct space: its root, which PCID of which core, and whether a fence is owed before it is used again. */
struct arch_space {
    uint64_t root;       /* physical */
    uint64_t cr3;        /* to load where no fence is owed */
    uint64_t place;      /* the core's, where the process may be entered the short way: mmu.c; else 0 */
    uint64_t bare_place; /* the same, if that needs no more than a load of CR3; else 0 */
    uint64_t epoch;
    uint32_t core; /* index + 1 of the core that it was last activated on; 0: none */
    bool owes_fence;
    bool fp_live; /* the process has used floating point: CR0.TS is clear while it runs */
};

static inline void *arch_phys_to_virt(uint64_t pa) {
    return (void *)(uintptr_t)(pa + X86_DIRECT_BASE);
}
static inline uint64_t arch_virt_to_phys(const void *va) {
    return (uint64_t)(uintptr_t)va - X86_DIRECT_BASE;
}

/* Entries of all four levels (SDM 3A, 4.5). */
#define X86_PTE_P UINT64_C(1)
#define X86_PTE_W UINT64_C(2)
#define X86_PTE_U UINT64_C(4)
#define X86_PTE_UNCACHED UINT64_C(0x18) /* PWT, PCD: entry 3 of the PAT, uncached as the processor starts */
#define X86_PTE_A UINT64_C(0x20)
#define X86_PTE_D UINT64_C(0x40)
#define X86_PTE_LARGE UINT64_C(0x80)
#define X86_PTE_G UINT64_C(0x100)
#define X86_PTE_NX (UINT64_C(1) << 63)
#define X86_PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* The largest leaf: 1 GiB where the processor has it. Set once, before the first address space. */
extern unsigned x86_leaf_top;
static inline unsigned arch_leaf_top(void) {
    return x86_leaf_top;
}

static inline uint64_t arch_pte_leaf(uint64_t pa, unsigned prot, unsigned level, bool device) {
    return pa | X86_PTE_P | X86_PTE_U | X86_PTE_A | X86_PTE_D | (prot & OS2_PROT_WRITE ? X86_PTE_W : 0) |
           (prot & OS2_PROT_EXEC ? 0 : X86_PTE_NX) | (level ? X86_PTE_LARGE : 0) | (device ? X86_PTE_UNCACHED : 0);
}
static inline uint64_t arch_pte_table(uint64_t pa) {
    return pa | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A;
}
static inline bool arch_pte_valid(uint64_t pte) {
    return pte & X86_PTE_P;
}
static inline bool arch_pte_is_leaf(uint64_t pte, unsigned level) {
    return level == 0 || pte & X86_PTE_LARGE;
}
static inline uint64_t arch_pte_address(uint64_t pte) {
    return pte & X86_PTE_ADDRESS;
}
static inline unsigned arch_pte_prot(uint64_t pte) {
    return (pte & X86_PTE_P ? OS2_PROT_READ : 0) | (pte & X86_PTE_W ? OS2_PROT_WRITE : 0) |
           (pte & X86_PTE_NX ? 0 : OS2_PROT_EXEC);
}

/* Ordering: loads are acquires and stores are releases by themselves (SDM 3A, 9.2), only the compiler must be held; a
 * locked instruction is a full fence, and cheaper than mfence. */
static inline void arch_fence(void) {
    __asm__ volatile("lock addl $0, -8(%%rsp)" ::: "memory", "cc");
}
static inline void arch_fence_release(void) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
}
#define arch_load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define arch_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
static inline void arch_store_release(uint64_t *p, uint64_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
static inline uint64_t arch_load_acquire(const uint64_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline bool arch_cas_full(uint64_t *p, uint64_t expected, uint64_t desired) {
    return __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline uint64_t arch_swap_full(uint64_t *p, uint64_t v) {
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
static inline void arch_relax(void) {
    __asm__ volatile("pause" ::: "memory");
}

static inline bool arch_space_plain(struct core *core, const struct arch_space *space) {
    return ((struct arch_core *)core)->place == space->place;
}
static inline void arch_space_switch(struct core *core, const struct arch_space *space) {
    ((struct arch_core *)core)->fp_owner = NULL; /* as arch_space_activate() */
    __asm__ volatile("movq %0, %%cr3" ::"r"(space->cr3) : "memory");
}
static inline void arch_space_spoil(struct arch_space *space) {
    space->place = space->bare_place = 0;
}
static inline void arch_fence_plain(struct arch_space *space, uint64_t va) {
    (void)space;
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}
void arch_fence_space(struct arch_space *space);
static inline void arch_fence_plain_space(struct arch_space *space) {
    arch_fence_space(space);
}
static inline struct core *arch_core(void) {
    struct core *core;
    __asm__("movq %%gs:0, %0" : "=r"(core));
    return core;
}
static inline unsigned arch_core_index(void) {
    return ((const struct arch_core *)arch_core())->index;
}
static inline uint64_t arch_clock(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* rdi, where C expects it, is LABEL of the register map. */
static inline void arch_context_argument(uint64_t *reg, uint64_t value) {
    reg[OS2_R_LABEL] = value;
}

/* syscall is 2 bytes; the processor gave the address behind it. */
static inline void arch_context_restart(struct arch_context *context) {
    context->pc -= 2;
}

#endif
