/* SPDX-License-Identifier: MIT */
/*
 * What ACPI's static tables say (ACPI 6.4, chapter 5): processors and interrupt controllers from the MADT, power
 * registers from the FADT, PCI's place in memory from the MCFG, and the one thing that is needed of the DSDT.
 *
 * A table is believed if it lies below 4 GiB, where the boot map reaches, is as long as it must be, and sums to 0.
 * Where one is not, the RSDT is asked too, which names the same tables as the XSDT; what then is missing is said. No
 * AML is run: \_S5, the package with the values that mean "off", is looked for as bytes, which is how the encoding of a
 * name and a package of constants is found in every DSDT known.
 */
#include "arch/x86_64/x86.h"
#include "lib/string.h"

struct x86_facts x86_facts;

#define HEADER 36 /* bytes before a table's own fields */
#define REACH (UINT64_C(1) << 32)

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}
static uint32_t get32(const uint8_t *p) {
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}
static uint64_t get64(const uint8_t *p) {
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool sums(const uint8_t *bytes, size_t size) {
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

/* The table at `address`, or NULL if it cannot be believed. */
static const uint8_t *table_at(uint64_t address, uint32_t *ret_size) {
    if (address == 0 || address > REACH - HEADER)
        return NULL;
    const uint8_t *t = arch_phys_to_virt(address);
    uint32_t size = get32(t + 4);
    if (size < HEADER || size > REACH - address || !sums(t, size))
        return NULL;
    *ret_size = size;
    return t;
}

/* The list of all tables: the XSDT, with entries of 8 bytes, or the RSDT, with 4. */
struct root {
    const uint8_t *table; /* NULL: there is none, or it cannot be believed */
    uint32_t size, entry;
};

static struct root root_at(uint64_t address, const char *signature, uint32_t entry) {
    struct root root = {.entry = entry};
    root.table = table_at(address, &root.size);
    if (root.table && memcmp(root.table, signature, 4) != 0)
        root.table = NULL;
    if (!root.table && address)
        log_line("ACPI: the %s at %lx cannot be used", signature, address);
    return root;
}

/* The first table with this signature that can be believed. */
static const uint8_t *find_in(const struct root *root, const char *signature, uint32_t *ret_size) {
    for (uint32_t at = HEADER; root->table && at + root->entry <= root->size; at += root->entry) {
        uint64_t address = root->entry == 8 ? get64(root->table + at) : get32(root->table + at);
        const uint8_t *t = table_at(address, ret_size);
        if (t && memcmp(t, signature, 4) == 0)
            return t;
        if (!t && address && address <= REACH - HEADER && memcmp(arch_phys_to_virt(address), signature, 4) == 0)
            log_line("ACPI: the %s at %lx is longer than memory, or has a bad sum", signature, address);
    }
    return NULL;
}

static const uint8_t *find(const struct root *roots, const char *signature, uint32_t *ret_size) {
    const uint8_t *t = find_in(&roots[0], signature, ret_size);
    return t ? t : find_in(&roots[1], signature, ret_size);
}

/* ---- MADT: processors, interrupt controllers. ---- */

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDRESS = 5, MADT_X2APIC = 9 };
#define CPU_ENABLED 1u

static void add_cpu(struct boot_info *info, uint32_t apic, uint32_t flags) {
    if (!(flags & CPU_ENABLED) || apic == x86_facts.boot_apic || (apic > 254 && !x86_facts.x2apic))
        return;
    for (unsigned i = 0; i < info->cpu_count; i++)
        if (info->cpu_id[i] == apic)
            return;
    if (info->cpu_count < CORES_MAX)
        info->cpu_id[info->cpu_count++] = apic;
}

static void add_override(const uint8_t *e) {
    uint8_t isa = e[3];
    uint32_t gsi = get32(e + 4);
    uint16_t flags = get16(e + 8);
    if (e[2] != 0 || isa >= 16 || gsi >= X86_IRQS)
        return;
    x86_facts.isa_gsi[isa] = (uint8_t)gsi;
    x86_facts.isa_mode[isa] =
        (uint8_t)(((flags & 3) == 3 ? X86_IRQ_LOW : 0) | ((flags >> 2 & 3) == 3 ? X86_IRQ_LEVEL : 0));
}

/* The boot map must reach it, and its inputs must be interrupts that there can be. */
static void add_ioapic(uint32_t base, uint32_t gsi) {
    if (base == 0 || base & (OS2_PAGE_SIZE - 1) || gsi >= X86_IRQS || x86_facts.ioapic_count == X86_IOAPICS)
        log_line("ACPI: the I/O APIC at %x, from input %u on, is not used", base, gsi);
    else
        x86_facts.ioapic[x86_facts.ioapic_count++] = (struct x86_ioapic){.base = base, .gsi = gsi};
}

/* The processor itself says where its local APIC is; the table may be wrong. */
static void check_lapic(uint64_t address) {
    if (address != x86_facts.lapic && !x86_facts.x2apic)
        log_line("ACPI: the local APIC is not at %lx; the processor has it at %lx", address, x86_facts.lapic);
}

static void read_madt(const uint8_t *madt, uint32_t size, struct boot_info *info) {
    uint64_t lapic = get32(madt + HEADER);
    for (uint32_t at = HEADER + 8; at + 2 <= size && madt[at + 1] >= 2 && madt[at + 1] <= size - at;
         at += madt[at + 1]) {
        const uint8_t *e = madt + at;
        if (e[0] == MADT_LAPIC && e[1] >= 8) {
            add_cpu(info, e[3], get32(e + 4));
        } else if (e[0] == MADT_X2APIC && e[1] >= 16) {
            add_cpu(info, get32(e + 4), get32(e + 8));
        } else if (e[0] == MADT_IOAPIC && e[1] >= 12) {
            add_ioapic(get32(e + 4), get32(e + 8));
        } else if (e[0] == MADT_OVERRIDE && e[1] >= 10) {
            add_override(e);
        } else if (e[0] == MADT_LAPIC_ADDRESS && e[1] >= 12) {
            lapic = get64(e + 4);
        }
    }
    check_lapic(lapic);
}

/* ---- HPET: a clock (IA-PC HPET 1.0a, 3.2.4). ---- */

static void read_hpet(const uint8_t *hpet, uint32_t size) {
    enum { SPACE = 40, ADDRESS = 44, END = 52 };
    if (size >= END && hpet[SPACE] == 0 && get64(hpet + ADDRESS) < REACH)
        x86_facts.hpet = get64(hpet + ADDRESS) & ~(OS2_PAGE_SIZE - 1);
}

/* ---- MCFG: where PCI's configuration space is in memory (PCI Firmware 3.2, 4.1.2). ---- */

/* That of segment 0, where it begins with bus 0. */
static void read_mcfg(const uint8_t *mcfg, uint32_t size, struct boot_info *info) {
    enum { FIRST = HEADER + 8, BYTES = 16, SEGMENT = 8, BUS = 10, LAST_BUS = 11, BUS_SHIFT = 20 };
    for (uint32_t at = FIRST; at + BYTES <= size; at += BYTES) {
        uint64_t base = get64(mcfg + at);
        if (get16(mcfg + at + SEGMENT) == 0 && mcfg[at + BUS] == 0 && base && !(base & ((1u << BUS_SHIFT) - 1)))
            info->pci = (struct boot_range){base, (mcfg[at + LAST_BUS] + UINT64_C(1)) << BUS_SHIFT};
    }
}

/* ---- FADT: power. ---- */

enum {
    FADT_DSDT = 40,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A = 64,
    FADT_PM1B = 68,
    FADT_PM_TIMER = 76,
    FADT_FLAGS = 112,
    FADT_RESET = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A = 172,
    FADT_X_PM1B = 184,
    FADT_X_PM_TIMER = 208,
    FADT_SLEEP = 244
};
#define FADT_RESET_THERE (1u << 10)
#define FADT_REDUCED (1u << 20)

/* A register by its generic address structure at `extended`, or by the port number at `port`, as far as they are
 * there. */
static struct x86_acpi_register fadt_register(const uint8_t *fadt, uint32_t size, uint32_t extended, uint32_t port) {
    struct x86_acpi_register r = {0};
    if (extended + 12 <= size && fadt[extended] <= 1) {
        r.address = get64(fadt + extended + 4);
        r.memory = fadt[extended] == 0;
        r.bytes = fadt[extended + 1] / 8;
    }
    if (!r.address && port)
        r = (struct x86_acpi_register){.address = port + 4 <= size ? get32(fadt + port) : 0};
    if (r.memory ? r.address >= REACH : r.address > UINT16_MAX)
        r = (struct x86_acpi_register){0};
    return r;
}

/* A constant of a package: ZeroOp, OneOp, or a byte behind its prefix. Returns the bytes used, 0: something else. */
static uint32_t aml_constant(const uint8_t *p, uint32_t left, uint8_t *ret_value) {
    if (left >= 1 && p[0] <= 1) {
        *ret_value = p[0];
        return 1;
    }
    if (left >= 2 && p[0] == 0x0a) {
        *ret_value = p[1];
        return 2;
    }
    return 0;
}

/* Name(_S5, Package{a, b, ...}): NameOp "_S5_" PackageOp PkgLength NumElements. */
static void find_sleep(const uint8_t *dsdt, uint32_t size) {
    for (uint32_t at = HEADER + 1; at + 8 < size; at++) {
        if (memcmp(dsdt + at, "_S5_", 4) != 0 || dsdt[at + 4] != 0x12)
            continue;
        uint32_t p = at + 5 + (dsdt[at + 5] >> 6) + 1 + 1; /* the length has 1 to 4 bytes */
        uint32_t used = p < size ? aml_constant(dsdt + p, size - p, &x86_facts.sleep_a) : 0;
        if (used && aml_constant(dsdt + p + used, size - p - used, &x86_facts.sleep_b)) {
            x86_facts.sleep_known = true;
            return;
        }
    }
}

static void read_fadt(const uint8_t *fadt, uint32_t size) {
    struct x86_facts *f = &x86_facts;
    if (size < FADT_RESET)
        return;
    uint32_t flags = get32(fadt + FADT_FLAGS), dsdt_size;
    if (flags & FADT_REDUCED) {
        f->sleep = fadt_register(fadt, size, FADT_SLEEP, 0);
    } else {
        f->pm1a = fadt_register(fadt, size, FADT_X_PM1A, FADT_PM1A);
        f->pm1b = fadt_register(fadt, size, FADT_X_PM1B, FADT_PM1B);
        f->pm_timer = fadt_register(fadt, size, FADT_X_PM_TIMER, FADT_PM_TIMER);
        f->smi_command = (uint16_t)get32(fadt + FADT_SMI_COMMAND);
        f->acpi_enable = fadt[FADT_ACPI_ENABLE];
    }
    if (flags & FADT_RESET_THERE && size > FADT_RESET_VALUE) {
        f->reset = fadt_register(fadt, size, FADT_RESET, 0);
        f->reset_value = fadt[FADT_RESET_VALUE];
    }
    uint64_t dsdt = size >= FADT_X_DSDT + 8 ? get64(fadt + FADT_X_DSDT) : 0;
    const uint8_t *d = table_at(dsdt ? dsdt : get32(fadt + FADT_DSDT), &dsdt_size);
    if (d)
        find_sleep(d, dsdt_size);
}

/* ---- RSDP. ---- */

static const uint8_t *rsdp_in(uint64_t base, uint64_t end) {
    for (uint64_t at = base; at + 20 <= end; at += 16) {
        const uint8_t *p = arch_phys_to_virt(at);
        if (memcmp(p, "RSD PTR ", 8) == 0 && sums(p, 20))
            return p;
    }
    return NULL;
}

static const uint8_t *rsdp_find(uint64_t given) {
    if (given && given <= REACH - HEADER) {
        const uint8_t *p = arch_phys_to_virt(given);
        if (memcmp(p, "RSD PTR ", 8) == 0 && sums(p, 20))
            return p;
    }
    uint64_t ebda = (uint64_t)get16(arch_phys_to_virt(0x40e)) << 4; /* ACPI 5.2.5.1 */
    const uint8_t *found = ebda >= 0x400 && ebda < 0xa0000 ? rsdp_in(ebda, ebda + 1024) : NULL;
    return found ? found : rsdp_in(0xe0000, 0x100000);
}

void acpi_read(uint64_t rsdp, struct boot_info *info) {
    for (unsigned i = 0; i < 16; i++)
        x86_facts.isa_gsi[i] = (uint8_t)i;
    x86_facts.lapic = msr_read(MSR_APIC_BASE) & X86_PTE_ADDRESS;
    info->cpu_count = 1;
    info->cpu_id[0] = x86_facts.boot_apic;
    const uint8_t *p = rsdp_find(rsdp);
    if (!p) {
        log_line("no ACPI tables: one processor, no device interrupts");
        return;
    }
    const struct root roots[] = {
        root_at(p[15] >= 2 ? get64(p + 24) : 0, "XSDT", 8),
        root_at(get32(p + 16), "RSDT", 4),
    };
    uint32_t size;
    const uint8_t *madt = find(roots, "APIC", &size);
    if (madt && size >= HEADER + 8)
        read_madt(madt, size, info);
    else
        log_line("ACPI names no processors and no interrupt controllers: one processor, no device interrupts");
    const uint8_t *fadt = find(roots, "FACP", &size);
    if (fadt)
        read_fadt(fadt, size);
    const uint8_t *hpet = find(roots, "HPET", &size);
    if (hpet)
        read_hpet(hpet, size);
    const uint8_t *mcfg = find(roots, "MCFG", &size);
    if (mcfg)
        read_mcfg(mcfg, size, info);
}
