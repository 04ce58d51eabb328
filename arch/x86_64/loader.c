/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader says: PVH's hvm_start_info (QEMU -kernel, Xen) or multiboot2's tags (GRUB). Both give the memory
 * map in the form of the PC's BIOS (e820), the boot archive as a module, the arguments, and ACPI's RSDP.
 *
 * Entries of the map may overlap, touch and come in any order, and memory that any of them says is not of type 1 is
 * firmware's: the lists of struct boot_info are sorted and merged, and what is reserved there wins over what is RAM.
 */
#include "arch/x86_64/x86.h"
#include "lib/string.h"

#define PVH_MAGIC 0x336ec578
#define MULTIBOOT2_MAGIC 0x36d76289
#define RAM_END ((UINT64_C(1) << 44) - OS2_PAGE_SIZE) /* a frame number has 32 bits */
#define MEMORY_RAM 1

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

static void add_memory(struct boot_info *info, const struct memory_entry *e) {
    if (e->type == MEMORY_RAM)
        boot_ram(info, e->base, e->size);
    else
        boot_reserve(info, e->base, e->size);
}

static void set_arguments(struct boot_info *info, const char *text, size_t limit) {
    size_t length = strnlen(text, limit < sizeof info->arguments ? limit : sizeof info->arguments - 1);
    memcpy(info->arguments, text, length);
    info->arguments[length] = 0;
}

/* Before the memory map is read: boot_reserve() must know what is kept. */
static void keep_archive(struct boot_info *info, uint64_t base, uint64_t size) {
    info->archive = (struct boot_range){base, size};
    if (size)
        info->kept[info->kept_count++] = info->archive;
}

static uint64_t read_pvh(struct boot_info *info, uint64_t address) {
    const struct pvh_start *start = arch_phys_to_virt(address);
    if (start->magic != PVH_MAGIC)
        panic("started neither by PVH nor by multiboot2");
    if (start->version < 1)
        panic("PVH start information of version 0 has no memory map");
    if (start->command_line)
        set_arguments(info, arch_phys_to_virt(start->command_line), SIZE_MAX);
    if (start->modules) {
        const struct pvh_module *module = arch_phys_to_virt(start->module_list);
        keep_archive(info, module->base, module->size);
    }
    const struct memory_entry *map = arch_phys_to_virt(start->memory_map);
    for (uint32_t i = 0; i < start->memory_entries; i++)
        add_memory(info, &map[i]);
    return start->rsdp;
}

static void read_map(struct boot_info *info, const uint8_t *body, uint32_t size, uint32_t entry_size) {
    for (uint32_t i = 8; i + entry_size <= size; i += entry_size) {
        struct memory_entry entry;
        memcpy(&entry, body + i, sizeof entry);
        add_memory(info, &entry);
    }
}

/* One pass over the tags: that of the memory map, or all others. */
static uint64_t read_tags(struct boot_info *info, const uint8_t *bytes, bool map) {
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
        if (map) {
            if (tag.type == TAG_MEMORY_MAP && size >= sizeof value && value[0] >= sizeof(struct memory_entry))
                read_map(info, body, size, value[0]);
        } else if (tag.type == TAG_COMMAND_LINE) {
            set_arguments(info, (const char *)body, size);
        } else if (tag.type == TAG_MODULE && size >= sizeof value && !info->archive.size) {
            keep_archive(info, value[0], value[1] - value[0]);
        } else if (tag.type == TAG_RSDP_NEW || (tag.type == TAG_RSDP_OLD && !rsdp)) {
            rsdp = arch_virt_to_phys(body); /* a copy of it */
        }
        at += (tag.size + 7) & ~7u;
    }
    return rsdp;
}

static uint64_t read_multiboot2(struct boot_info *info, uint64_t address) {
    const uint8_t *bytes = arch_phys_to_virt(address);
    uint64_t rsdp = read_tags(info, bytes, false);
    read_tags(info, bytes, true);
    return rsdp;
}

uint64_t loader_read(uint32_t magic, uint64_t information, struct boot_info *info) {
    uint64_t rsdp = magic == MULTIBOOT2_MAGIC ? read_multiboot2(info, information) : read_pvh(info, information);
    boot_limit(info, RAM_END);
    return rsdp;
}

uint64_t loader_low_page(const struct boot_info *info) {
    for (uint64_t page = X86_LOW_END - OS2_PAGE_SIZE; page; page -= OS2_PAGE_SIZE) {
        const struct boot_range range = {page, OS2_PAGE_SIZE};
        if (boot_holds(info->ram, info->ram_count, &range) &&
            !boot_meets(info->reserved, info->reserved_count, page, page + OS2_PAGE_SIZE))
            return page;
    }
    return 0;
}
