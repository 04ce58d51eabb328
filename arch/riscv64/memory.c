/* SPDX-License-Identifier: MIT */
/*
 * What RAM there is, and what of it is not ours.
 *
 * What the tree says of RAM is believed less what it reserves (memreserve block, /reserved-memory), our own image, and
 * all that lies below the image in its bank. Firmware is there, and not every one says so; loaders put the image right
 * above it, so that this costs nothing but where somebody chose another place by hand.
 *
 * The boot archive and the tree are ours to use wherever they lie: U-Boot puts the archive into the memreserve block,
 * so they are cut out of what is reserved. What of them is not in whole pages of usable RAM is copied to where it is
 * (arch/riscv64/boot.c): a tree in a hole between banks, one above what the direct map reaches, an archive that ends
 * where a bank ends, in the middle of a page.
 */
#include "arch/riscv64/riscv.h"

/* Reserve [base, end) but for the pages of what is kept, from number `next` on. */
static void reserve_around_kept(struct boot_info *info, uint64_t base, uint64_t end, unsigned next) {
    for (unsigned i = next; i < info->kept_count; i++) {
        uint64_t kept = info->kept[i].base & ~(OS2_PAGE_SIZE - 1);
        uint64_t kept_end = (info->kept[i].base + info->kept[i].size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1);
        if (kept < end && base < kept_end) {
            if (base < kept)
                reserve_around_kept(info, base, kept, i + 1);
            base = kept_end;
        }
    }
    if (base < end)
        boot_reserve(info, base, end - base);
}

static void find_banks(const struct fdt *tree, struct boot_info *info) {
    struct fdt_range r;
    for (uint32_t i = 0; fdt_memory(tree, i, &r); i++) {
        uint64_t end = r.base + r.size;
        for (unsigned k = 0; k < info->ram_count; k++) {
            uint64_t other = info->ram[k].base, other_end = other + info->ram[k].size;
            if (riscv_meets(other, other_end - other, r.base, end))
                log_line("RAM %lx..%lx is in the device tree twice", r.base > other ? r.base : other,
                         end < other_end ? end : other_end);
        }
        boot_ram(info, r.base, r.size);
    }
}

void riscv_find_memory(const struct fdt *tree, struct boot_info *info, uint64_t image, uint64_t image_end) {
    struct fdt_range r;
    find_banks(tree, info);
    if (info->archive.size && !boot_holds(info->ram, info->ram_count, &info->archive))
        panic("the boot archive at %lx is not in RAM", info->archive.base);
    if (riscv_meets(info->archive.base, info->archive.size, image, image_end))
        panic("the boot archive at %lx..%lx lies over the kernel, %lx..%lx", info->archive.base,
              info->archive.base + info->archive.size, image, image_end);
    boot_reserve(info, image, image_end - image);
    for (unsigned i = 0; i < info->ram_count; i++)
        if (info->ram[i].base < image && image - info->ram[i].base < info->ram[i].size) {
            if (image - info->ram[i].base > RISCV_IMAGE_MOST)
                log_line("RAM %lx..%lx, below the image, is left to the firmware", info->ram[i].base, image);
            reserve_around_kept(info, info->ram[i].base, image, 0);
        }
    for (uint32_t i = 0; fdt_reserved(tree, i, &r); i++)
        reserve_around_kept(info, r.base, r.base + r.size, 0);
    for (uint32_t i = 0; fdt_memreserve(tree, i, &r); i++)
        reserve_around_kept(info, r.base, r.base + r.size, 0);
    boot_limit(info, RISCV_DIRECT_SIZE);
}

bool riscv_usable(const struct boot_info *info, const struct boot_range *range) {
    uint64_t base = range->base & ~(OS2_PAGE_SIZE - 1);
    uint64_t end = (range->base + range->size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1);
    for (struct boot_range r = {0}; boot_ram_next(info, &r);)
        if (base >= r.base && end <= r.base + r.size)
            return true;
    return false;
}
