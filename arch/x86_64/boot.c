/* SPDX-License-Identifier: MIT */
/*
 * From the first table to kernel_main(): what the boot loader, ACPI and the processor say about this machine.
 *
 * Two loaders' information is understood: PVH's hvm_start_info (QEMU -kernel, Xen) and multiboot2's tags (GRUB). Both
 * give the memory map in the form of the PC's BIOS, the boot archive as a module, the arguments, and ACPI's RSDP.
 *
 * Memory that is not of type 1 is firmware's. The first 640 KiB are left to firmware too, which is known to write there
 * after boot; one page of them holds the code that other cores start in. What is read here is read through the boot map
 * and copied: nothing of the loader's is needed later, but for the archive and the tree, which go to init.
 */
#include "arch/x86_64/x86.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"

#define PVH_MAGIC 0x336ec578
#define MULTIBOOT2_MAGIC 0x36d76289
#define LOW_END UINT64_C(0xa0000)
#define BELOW_4_GIB (UINT64_C(1) << 32)
#define RAM_END ((UINT64_C(1) << 44) - OS2_PAGE_SIZE) /* a frame number has 32 bits */
#define MEMORY_RAM 1

extern char image_start[], image_end[];
extern const uint8_t x86_trampoline[], x86_trampoline_end[];

struct x86_facts x86_facts;
static struct boot_info boot_info;
static uint64_t trampoline; /* physical page where other cores start */

/* Public domain: Xen's public/arch-x86/hvm/start_info.h. */
struct pvh_start {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, memory_map;
    uint32_t memory_entries, reserved;
};
struct pvh_module {
    uint64_t base, size, command_line, reserved;
};
struct memory_entry { /* multiboot2's is the same */
    uint64_t base, size;
    uint32_t type, reserved;
};

/* Multiboot2 specification 2.0, section 3.6. */
struct multiboot2_tag {
    uint32_t type, size;
};
enum { TAG_END, TAG_COMMAND_LINE, TAG_MODULE = 3, TAG_MEMORY_MAP = 6, TAG_RSDP_OLD = 14, TAG_RSDP_NEW = 15 };

void x86_reserve(struct boot_info *info, uint64_t base, uint64_t size) {
    boot_reserve(info, base, size);
}

static void add_memory(struct boot_info *info, const struct memory_entry *e) {
    uint64_t end = e->base + e->size;
    if (e->size == 0 || end < e->base)
        return;
    if (e->type != MEMORY_RAM) {
        x86_reserve(info, e->base, e->size);
        return;
    }
    if (e->base < LOW_END && end <= LOW_END && end >= 2 * OS2_PAGE_SIZE)
        trampoline = (end & ~(OS2_PAGE_SIZE - 1)) - OS2_PAGE_SIZE;
    if (end > RAM_END) {
        log_line("RAM above %lx is not used", RAM_END);
        end = RAM_END;
    }
    if (e->base < end)
        boot_ram(info, e->base, end - e->base);
}

static void set_arguments(struct boot_info *info, const char *text, size_t limit) {
    size_t length = strnlen(text, limit < sizeof info->arguments ? limit : sizeof info->arguments - 1);
    memcpy(info->arguments, text, length);
    info->arguments[length] = 0;
}

static uint64_t read_pvh(struct boot_info *info, uint64_t address) {
    const struct pvh_start *start = arch_phys_to_virt(address);
    if (start->magic != PVH_MAGIC)
        panic("started neither by PVH nor by multiboot2");
    if (start->version < 1)
        panic("PVH start information of version 0 has no memory map");
    const struct memory_entry *map = arch_phys_to_virt(start->memory_map);
    for (uint32_t i = 0; i < start->memory_entries; i++)
        add_memory(info, &map[i]);
    if (start->command_line)
        set_arguments(info, arch_phys_to_virt(start->command_line), SIZE_MAX);
    if (start->modules) {
        const struct pvh_module *module = arch_phys_to_virt(start->module_list);
        info->archive = (struct boot_range){module->base, module->size};
    }
    return start->rsdp;
}

static uint64_t read_multiboot2(struct boot_info *info, uint64_t address) {
    const uint8_t *bytes = arch_phys_to_virt(address);
    uint32_t total;
    uint64_t rsdp = 0;
    memcpy(&total, bytes, sizeof total);
    for (uint32_t at = 8; at + sizeof(struct multiboot2_tag) <= total;) {
        struct multiboot2_tag tag;
        memcpy(&tag, bytes + at, sizeof tag);
        if (tag.type == TAG_END || tag.size < sizeof tag || tag.size > total - at)
            break;
        const uint8_t *body = bytes + at + sizeof tag;
        uint32_t size = tag.size - (uint32_t)sizeof tag, value[2];
        memcpy(value, body, size >= sizeof value ? sizeof value : 0);
        if (tag.type == TAG_COMMAND_LINE) {
            set_arguments(info, (const char *)body, size);
        } else if (tag.type == TAG_MODULE && size >= sizeof value && !info->archive.size) {
            info->archive = (struct boot_range){value[0], value[1] - value[0]};
        } else if (tag.type == TAG_MEMORY_MAP && size >= sizeof value && value[0] >= sizeof(struct memory_entry)) {
            for (uint32_t i = sizeof value; i + value[0] <= size; i += value[0]) {
                struct memory_entry entry;
                memcpy(&entry, body + i, sizeof entry);
                add_memory(info, &entry);
            }
        } else if (tag.type == TAG_RSDP_NEW || (tag.type == TAG_RSDP_OLD && !rsdp)) {
            rsdp = arch_virt_to_phys(body); /* a copy of it */
        }
        at += (tag.size + 7) & ~7u;
    }
    return rsdp;
}

uint64_t x86_room(const struct boot_info *info, uint64_t size) {
    uint64_t at = boot_room(info, size, BELOW_4_GIB);
    if (!at)
        panic("no %lu bytes of RAM below 4 GiB are free", size);
    return at;
}

/* GRUB may put it into low memory, which is firmware's: it is moved out of there. */
static void keep_archive(struct boot_info *info) {
    struct boot_range *archive = &info->archive;
    if (archive->size == 0)
        return;
    if (archive->base < LOW_END) {
        uint64_t at = x86_room(info, archive->size);
        memcpy(arch_phys_to_virt(at), arch_phys_to_virt(archive->base), archive->size);
        archive->base = at;
    }
    info->kept[info->kept_count++] = *archive;
}

void x86_boot(uint32_t magic, uint64_t information) {
    struct boot_info *info = &boot_info;
    uart_init();
    cpu_gates_init();
    cpu_find_features();
    x86_facts.lapic = UINT64_C(0xfee00000);

    uint64_t rsdp = magic == MULTIBOOT2_MAGIC ? read_multiboot2(info, information) : read_pvh(info, information);
    acpi_read(rsdp, info);
    x86_reserve(info, 0, LOW_END);
    x86_reserve(info, (uint64_t)(uintptr_t)image_start - X86_IMAGE_BASE, (uint64_t)(image_end - image_start));
    keep_archive(info);
    x86_boot_map(info);
    tree_make(info);
    ioapic_init();
    info->irq_count = ioapic_irqs();
    lapic_init();
    info->clock_hz = clock_calibrate();
    if (trampoline)
        memcpy(arch_phys_to_virt(trampoline), x86_trampoline, (size_t)(x86_trampoline_end - x86_trampoline));
    kernel_main(info);
}

void arch_core_make(struct core *core, unsigned index, uint64_t run_word, uint64_t cpu, uint64_t stack_top) {
    struct arch_core *here = x86_core(core);
    here->self = core;
    here->index = index;
    here->run_word = run_word;
    here->apic = (uint32_t)cpu;
    here->stack_top = x86_map_stack(index, stack_top);
    here->pcid_next = 1;
    here->pcid_epoch = 1;
}

void arch_core_init(struct core *core) {
    cpu_init(x86_core(core));
    lapic_init();
    if (x86_core(core)->index == 0)
        lapic_write(LAPIC_LVT_LINT1, LAPIC_NMI); /* where a PC's NMI comes in; one core is enough to report it */
    clock_core_init();
    apic_ready(x86_core(core));
}

/* INIT, then twice the start-up IPI with the page's number (SDM 3A, 9.4.4.1). */
bool arch_core_start(struct core *core) {
    uint32_t apic = x86_core(core)->apic;
    if (!trampoline)
        return false;
    lapic_send(apic, 0x4500);
    clock_wait_us(10000);
    for (unsigned i = 0; i < 2; i++) {
        lapic_send(apic, 0x4600 | (uint32_t)(trampoline >> OS2_PAGE_SHIFT));
        clock_wait_us(200);
    }
    return true;
}
