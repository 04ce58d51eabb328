/* SPDX-License-Identifier: MIT */
/* The inline half of the RISC-V port; see arch/arch.h for the contract. Sv39, RV64GC. */
#ifndef ARCH_RISCV64_PORT_H
#define ARCH_RISCV64_PORT_H

#define ARCH_NAME "riscv64"
#define ARCH_TOP_LEVEL 2
#define ARCH_USER_END (UINT64_C(1) << 38)

/* Kernel half of Sv39: the direct map, 128 GiB of physical addresses, and the image in the last 2 GiB. */
#define RISCV_DIRECT_BASE UINT64_C(0xffffffc000000000)
#define RISCV_DIRECT_SIZE (UINT64_C(1) << 37)
#define RISCV_IMAGE_BASE UINT64_C(0xffffffff80000000)

/* Registers of a stopped process beside the ABI's ten. gp and tp are constants: loaded, never saved. */
struct arch_context {
    uint64_t pc, sp, gp, tp;
    uint64_t s[12];
    uint64_t fs[12]; /* as it last was parked */
    uint64_t fcsr;
};

/* Entries of the entry path's table, by number. A power of two. */
#define RISCV_LIGHT_ENTRIES 32

#define RISCV_NO_PLIC UINT64_MAX

/* A place has the ASID epoch from bit 2 on. */
#define RISCV_NOWHERE UINT64_MAX /* equals no space's */
#define RISCV_PLACE_FP_LIVE 1    /* in a space's: floating-point state is to be loaded */
#define RISCV_PLACE_FP_ON 2      /* in the core's: floating-point registers are on */
#define RISCV_PLACE_EPOCH_SHIFT 2

#define RISCV_FENCE_ALL (-1) /* in the place of an ASID: only fences of everything may be used */

/* First in struct core, reached through tp. Entry code knows these offsets. */
struct arch_core {
    uint32_t index;     /* in cores[] */
    uint64_t run_word;  /* the state word of a process that this core runs, its low 44 bits 0 */
    uint64_t scratch;   /* t0 during trap entry */
    uint64_t user_sp;   /* sp during an interrupt or fault */
    uint64_t user_tp;   /* tp then */
    uint64_t stack_top; /* kernel stack */
    uint64_t hart;
    uint64_t place; /* run_word + ASID epoch, and whether sstatus.FS is not Off; RISCV_NOWHERE: no short switch */
    uint64_t asid_next, asid_epoch; /* epoch is never 0 */
    uint64_t plic_context;          /* RISCV_NO_PLIC: none */
    uint8_t console_byte;           /* that the firmware's console has given */
    /* Where the entry path goes for a number without flags, a label in assembly; and what is called at riscv_light. */
    void (*shorts[RISCV_LIGHT_ENTRIES])(void);
    light_handler *light[RISCV_LIGHT_ENTRIES];
};

/* In struct space: which ASID of which core, and whether a fence is owed before it is used again. */
struct arch_space {
    uint64_t root;  /* physical */
    uint64_t satp;  /* with its ASID, once it has one */
    uint64_t place; /* that of the core where it may be entered without a fence; else 0 */
    int64_t asid;   /* for fences; 0: with no ASIDs */
    uint64_t epoch;
    uint32_t core; /* index + 1 of the core whose ASID it is; 0: none */
    bool owes_fence;
    bool fp_live; /* floating-point state is loaded when it is entered, not only when it is used: see fp.S */
};

static inline void *arch_phys_to_virt(uint64_t pa) {
    return (void *)(uintptr_t)(pa + RISCV_DIRECT_BASE);
}
static inline uint64_t arch_virt_to_phys(const void *va) {
    return (uint64_t)(uintptr_t)va - RISCV_DIRECT_BASE;
}

/* Sv39 entries: V R W X U G A D in bits 0..7, physical page number from bit 10 (privileged spec 12.4.1). */
enum {
    RISCV_PTE_V = 1,
    RISCV_PTE_R = 2,
    RISCV_PTE_W = 4,
    RISCV_PTE_X = 8,
    RISCV_PTE_U = 16,
    RISCV_PTE_G = 32,
    RISCV_PTE_A = 64,
    RISCV_PTE_D = 128
};
static inline unsigned arch_leaf_top(void) {
    return 2;
}
static inline uint64_t arch_pte_leaf(uint64_t pa, unsigned prot, unsigned level, bool device) {
    (void)level;
    (void)device; /* memory attributes are the platform's (PMA) */
    return (pa >> 2) | RISCV_PTE_V | RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D |
           (prot & OS2_PROT_READ ? RISCV_PTE_R : 0) | (prot & OS2_PROT_WRITE ? RISCV_PTE_W : 0) |
           (prot & OS2_PROT_EXEC ? RISCV_PTE_X : 0);
}
static inline uint64_t arch_pte_table(uint64_t pa) {
    return (pa >> 2) | RISCV_PTE_V;
}
static inline bool arch_pte_valid(uint64_t pte) {
    return pte & RISCV_PTE_V;
}
static inline bool arch_pte_is_leaf(uint64_t pte, unsigned level) {
    (void)level;
    return pte & (RISCV_PTE_R | RISCV_PTE_X);
}
static inline uint64_t arch_pte_address(uint64_t pte) {
    return (pte >> 10 & ((UINT64_C(1) << 44) - 1)) << 12;
}
static inline unsigned arch_pte_prot(uint64_t pte) {
    return (pte & RISCV_PTE_R ? OS2_PROT_READ : 0) | (pte & RISCV_PTE_W ? OS2_PROT_WRITE : 0) |
           (pte & RISCV_PTE_X ? OS2_PROT_EXEC : 0);
}

/* Ordering. gcc 12 makes every C11 atomic store an atomic swap; a plain store, behind a fence, does the same for less.
 * tests/model/litmus.py cuts the forms below out of this file and enumerates what they allow: lr.aqrl + sc.rl is a full
 * fence even when the compare fails; lr.aq + sc.rl and gcc's own seq_cst compare-exchange are not. The store of the sc
 * itself may become visible after later loads. */
static inline void arch_fence(void) {
    __asm__ volatile("fence rw, rw" ::: "memory");
}
static inline void arch_fence_release(void) {
    __asm__ volatile("fence rw, w" ::: "memory");
}
#define arch_load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define arch_store_relaxed(p, v) (*(volatile __typeof__(*(p)) *)(p) = (v))
static inline void arch_store_release(uint64_t *p, uint64_t v) {
    arch_fence_release();
    arch_store_relaxed(p, v);
}
static inline uint64_t arch_load_acquire(const uint64_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline bool arch_cas_full(uint64_t *p, uint64_t expected, uint64_t desired) {
    uint64_t seen, failed;
    __asm__ volatile("0: lr.d.aqrl %0, %2\n"
                     "   bne %0, %3, 1f\n"
                     "   sc.d.rl %1, %4, %2\n"
                     "   bnez %1, 0b\n"
                     "1:"
                     : "=&r"(seen), "=&r"(failed), "+A"(*p)
                     : "r"(expected), "r"(desired)
                     : "memory");
    return seen == expected;
}
static inline uint64_t arch_swap_full(uint64_t *p, uint64_t v) {
    uint64_t old;
    __asm__ volatile("amoswap.d.aqrl %0, %2, %1" : "=r"(old), "+A"(*p) : "r"(v) : "memory");
    return old;
}
static inline void arch_relax(void) {
    __asm__ volatile(".word 0x0100000f" ::: "memory"); /* pause, of Zihintpause; elsewhere a fence of nothing */
}

static inline bool arch_space_plain(struct core *core, const struct arch_space *space) {
    return ((struct arch_core *)core)->place == space->place;
}
static inline void arch_space_spoil(struct arch_space *space) {
    space->place = 0;
}
/* A plain space has an ASID, or 0 where there are none. */
static inline void arch_fence_plain_space(const struct arch_space *space) {
    if (space->asid >= 0)
        __asm__ volatile("sfence.vma x0, %0" ::"r"(space->asid) : "memory");
    else
        __asm__ volatile("sfence.vma" ::: "memory");
}
static inline void arch_space_switch(struct core *core, const struct arch_space *space) {
    (void)core;
    __asm__ volatile("csrw satp, %0" ::"r"(space->satp) : "memory");
    if (space->asid <= 0) /* there may be no ASIDs */
        arch_fence_plain_space(space);
}
static inline void arch_fence_plain(const struct arch_space *space, uint64_t va) {
    if (space->asid >= 0)
        __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(space->asid) : "memory");
    else
        __asm__ volatile("sfence.vma" ::: "memory");
}
#if defined(__riscv) && defined(__GNUC__)
register struct core *riscv_tp __asm__("tp");
#else /* for a host test and the lints, which read this file but run none of it */
extern struct core *riscv_tp;
#endif
static inline struct core *arch_core(void) {
    return riscv_tp;
}
static inline unsigned arch_core_index(void) {
    return ((const struct arch_core *)arch_core())->index;
}
static inline uint64_t arch_clock(void) {
    uint64_t time;
    __asm__ volatile("rdtime %0" : "=r"(time));
    return time;
}

/* a0 is CONTROL of the register map. */
static inline void arch_context_argument(uint64_t *reg, uint64_t value) {
    reg[OS2_R_CONTROL] = value;
}

/* ecall is 4 bytes; entry stored the pc behind it. */
static inline void arch_context_restart(struct arch_context *context) {
    context->pc -= 4;
}

#endif
