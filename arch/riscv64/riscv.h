/* SPDX-License-Identifier: MIT */
/* What the files of this port share: control registers, firmware's calls, facts found at boot. */
#ifndef ARCH_RISCV64_RISCV_H
#define ARCH_RISCV64_RISCV_H

#include "arch/arch.h"
#include "arch/riscv64/fdt_board.h"
#include "arch/riscv64/map.h"

#define csr_read(name)                                                                                                 \
    ({                                                                                                                 \
        uint64_t csr_value;                                                                                            \
        __asm__ volatile("csrr %0, " #name : "=r"(csr_value)::"memory");                                               \
        csr_value;                                                                                                     \
    })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")
#define csr_set(name, bits) __asm__ volatile("csrs " #name ", %0" ::"r"(bits) : "memory")
#define csr_clear(name, bits) __asm__ volatile("csrc " #name ", %0" ::"r"(bits) : "memory")

/* Bits of sie and sip, and causes of interrupts. */
#define RISCV_IRQ_SOFT 1
#define RISCV_IRQ_TIMER 5
#define RISCV_IRQ_EXTERNAL 9
#define RISCV_CAUSE_INTERRUPT (UINT64_C(1) << 63)
#define RISCV_SSTATUS_SPP (UINT64_C(1) << 8)
#define RISCV_SSTATUS_FS (UINT64_C(3) << 13)
#define RISCV_SSTATUS_FS_CLEAN (UINT64_C(2) << 13)
#define RISCV_SSTATUS_UXL_64 (UINT64_C(2) << 32)
#define RISCV_SATP_SV39 (UINT64_C(8) << 60)
#define RISCV_SATP_ASID_SHIFT 44
#define RISCV_SATP_ASID_MASK UINT64_C(0xffff)
#define RISCV_SATP_PPN_MASK ((UINT64_C(1) << 44) - 1)

#define PLIC_SOURCES_MAX 1023 /* the specification's */

/* Found at boot, then constant. */
struct riscv_facts {
    uint64_t image_base; /* physical */
    uint64_t asid_max;   /* 0: no ASIDs, or not to be used: every switch fences */
    bool fences_global;  /* sfence.vma x0, x0 is the only fence that may be used */
    bool sstc;
    bool short_ways;       /* the entry path may switch without the C code; off by the boot argument os2.noshort */
    struct fdt_range plic; /* size 0: none */
    uint32_t plic_sources;
    uint64_t plic_context[CORES_MAX]; /* of core i */
    uint64_t test_device;             /* sifive,test, 0: none */
    struct fdt_range clint;           /* the firmware's timer and IPI registers, size 0: not in the tree */
};
extern struct riscv_facts riscv_facts;
extern struct riscv_tables riscv_tables;
extern struct core *riscv_ready[CORES_MAX]; /* those that may be sent an IPI */
extern uint64_t riscv_kernel_satp;          /* (i) once arch_kernel_map() has been */
extern uint64_t riscv_secondary_satp; /* (a) the same for start.S, 0 until every core is made: pairs with `loser` */

/* SiFive errata: FU540, sfence.vma by address; FU740 CIP-1200, any fence that is not of everything. The test is the one
 * by marchid and mimpid that Linux has; marchid 1 is every Rocket's, so it looks at the vendor too. */
#define RISCV_VENDOR_SIFIVE 0x489
static inline bool riscv_fences_broken(uint64_t vendor, uint64_t marchid, uint64_t mimpid) {
    return vendor == RISCV_VENDOR_SIFIVE && (marchid == UINT64_C(0x8000000000000007) || marchid == 1) &&
           (mimpid & 0xffffff) <= 0x200630 && mimpid != 0x01200626;
}

/* A write of satp in the short ways; where the one with a fence behind it is, and that fence (entry.S: root_load). */
struct riscv_root_load {
    uint64_t at, fenced, fence;
};
extern const struct riscv_root_load riscv_root_loads[], riscv_root_loads_end[];

/* Instructions (unprivileged spec 2.5, privileged spec 12.2.1): a jump that far from where it stands, less than 1 MiB
 * and even; sfence.vma x0, x0. */
#define RISCV_SFENCE_ALL 0x12000073u
static inline uint32_t riscv_jump(int64_t offset) {
    uint32_t bits = (uint32_t)offset;
    return (bits >> 20 & 1) << 31 | (bits >> 1 & 0x3ff) << 21 | (bits >> 11 & 1) << 20 | (bits >> 12 & 0xff) << 12 |
           0x6f;
}

static inline struct arch_core *riscv_core(struct core *core) {
    return (struct arch_core *)core;
}

/* sbi.c: the firmware. A call, and what it can do beside the legacy calls. Restrict: forget what the boot arguments
 * forbid. */
#define SBI_BASE 0x10
#define SBI_TIME 0x54494d45
#define SBI_IPI 0x735049
#define SBI_HSM 0x48534d
#define SBI_SRST 0x53525354
#define SBI_DBCN 0x4442434e
struct sbi_result {
    int64_t error;
    uint64_t value;
};
extern struct sbi_has { bool base, time, ipi, hsm, srst, dbcn, test_device; } sbi_has;
struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t arg0, uint64_t arg1, uint64_t arg2);
void sbi_probe(void);
void sbi_restrict(const struct boot_info *info);
void sbi_describe(unsigned cpus);
/* What the base extension tells of itself and the machine; 0 where there is none. */
enum sbi_about { SBI_VERSION = 0, SBI_MAKER = 1, SBI_PROBE = 3, SBI_MVENDORID = 4, SBI_MARCHID = 5, SBI_MIMPID = 6 };
uint64_t sbi_about(enum sbi_about what);

/* irq.c. How many bytes of registers a controller with this context has at least. Init masks every source: what
 * firmware left unmasked would interrupt a core that has no driver for it. */
uint64_t plic_context_end(uint64_t context);
void plic_init(void);
void plic_core_init(uint64_t context);

/* Does what lies at `base` meet [from, end)? */
static inline bool riscv_meets(uint64_t base, uint64_t size, uint64_t from, uint64_t end) {
    return size && from < base + size && base < end;
}

/* facts.c: what the tree says goes to riscv_facts and `info`; the archive and the tree are kept. */
void riscv_find_chosen(const struct fdt *tree, struct boot_info *info);
void riscv_find_cpus(const struct fdt *tree, struct boot_info *info, uint64_t boot_hart);
void riscv_find_devices(const struct fdt *tree);

/* memory.c. Fill in the banks and what is reserved of them; the archive and the tree are known and kept. Panics where
 * the archive cannot be right. */
void riscv_find_memory(const struct fdt *tree, struct boot_info *info, uint64_t image, uint64_t image_end);

/* Is it all in whole pages of RAM that is not reserved, one after the other? */
bool riscv_usable(const struct boot_info *info, const struct boot_range *range);

/* mmu.c. Show [pa, pa + size) in a window: where its first byte is, or NULL where it is too large; size 0 closes the
 * window. Map the RAM, once all of it is known, with tables out of it, which are kept. A device's registers that the
 * kernel itself uses are mapped in the direct map's place for them. */
void *riscv_show(unsigned which, uint64_t pa, uint64_t size);
void riscv_map_ram(struct boot_info *info);
void riscv_map_device(uint64_t base, uint64_t size);
/* Map the stack of core `index`, which ends at `top` in the direct map, where nothing is mapped below it; returns where
 * it ends there. */
uint64_t riscv_map_stack(unsigned index, uint64_t top);

/* entry.S, fp.S, start.S */
_Noreturn void riscv_enter(struct core *core);
void riscv_fp_save(struct arch_context *context);
void riscv_fp_load(const struct arch_context *context);
/* Labels, no C functions: nobody goes there but the entry path. */
void riscv_not_light(void);
void riscv_light(void);
void riscv_receive(void);
void riscv_block_alloc(void);
void riscv_block_free(void);
int riscv_probe_stimecmp(void);
void riscv_clear_optional(void);
void riscv_secondary(void);
void trap_entry(void);
void trap_entry_long(void);

/* Called from assembly. The first runs with the MMU off, where all that it calls does; returns satp. */
uint64_t riscv_first_satp(uint64_t image);
_Noreturn void riscv_boot(uint64_t hart, uint64_t tree, uint64_t image);
void riscv_trap(struct core *core, uint64_t cause, uint64_t pc, uint64_t value);
_Noreturn void riscv_kernel_trap(uint64_t cause, uint64_t pc, uint64_t value, uint64_t sp, uint64_t ra);

#endif
