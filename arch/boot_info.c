/* SPDX-License-Identifier: MIT */
/*
 * struct boot_info: what a port fills in, and what all that boots asks of it.
 *
 * Ranges are bytes, unsorted, and may overlap. A page that one of them only touches is in it where it is in use, and
 * not in it where it is RAM.
 */
#include "arch/arch.h"
#include "core/panic.h"
#include "core/string.h"

#define ALIGN_DOWN(address) ((address) & ~(OS2_PAGE_SIZE - 1))
#define ALIGN_UP(address) ALIGN_DOWN((address) + OS2_PAGE_SIZE - 1)

void boot_add(struct boot_range *list, unsigned *count, uint64_t base, uint64_t size, const char *what) {
    struct boot_range *last = *count ? &list[*count - 1] : NULL;
    if (last && last->base + last->size == base) {
        last->size += size;
        return;
    }
    if (*count == BOOT_RANGES)
        panic("the firmware names more than %u ranges of %s", BOOT_RANGES, what);
    list[(*count)++] = (struct boot_range){base, size};
}

bool boot_argument(const struct boot_info *info, const char *word) {
    size_t n = strlen(word);
    for (const char *at = info->arguments; *at; at++)
        if ((at == info->arguments || at[-1] == ' ') && strncmp(at, word, n) == 0 && (at[n] == 0 || at[n] == ' '))
            return true;
    return false;
}

uint64_t boot_meets(const struct boot_range *list, unsigned count, uint64_t base, uint64_t end) {
    for (unsigned i = 0; i < count; i++) {
        uint64_t range_end = ALIGN_UP(list[i].base + list[i].size);
        if (list[i].size && base < range_end && ALIGN_DOWN(list[i].base) < end)
            return range_end;
    }
    return 0;
}

uint64_t boot_room(const struct boot_info *info, uint64_t size, uint64_t limit) {
    for (unsigned i = 0; i < info->ram_count; i++) {
        uint64_t at = ALIGN_UP(info->ram[i].base), end = info->ram[i].base + info->ram[i].size, next;
        if (at == 0)
            at = OS2_PAGE_SIZE; /* frame 0 means "none" */
        for (; at + size <= (end < limit ? end : limit); at = next) {
            next = boot_meets(info->reserved, info->reserved_count, at, at + size);
            if (!next)
                next = boot_meets(info->kept, info->kept_count, at, at + size);
            if (!next)
                return at;
        }
    }
    return 0;
}

/* The lowest range that ends above `at`, in whole pages, those that it holds or those that it touches; empty: none. */
static struct boot_range first_above(const struct boot_range *list, unsigned count, bool holds, uint64_t at) {
    struct boot_range found = {0};
    for (unsigned i = 0; i < count; i++) {
        uint64_t base = list[i].base, end = base + list[i].size;
        base = holds ? ALIGN_UP(base) : ALIGN_DOWN(base);
        end = holds ? ALIGN_DOWN(end) : ALIGN_UP(end);
        if (list[i].size && base < end && end > at && (!found.size || base < found.base))
            found = (struct boot_range){base, end - base};
    }
    return found;
}

bool boot_ram_next(const struct boot_info *info, struct boot_range *range) {
    uint64_t at = range->base + range->size;
    for (;;) {
        struct boot_range bank = first_above(info->ram, info->ram_count, true, at);
        if (!bank.size)
            return false;
        at = bank.base > at ? bank.base : at;
        struct boot_range used = first_above(info->reserved, info->reserved_count, false, at);
        uint64_t end = bank.base + bank.size, stop = used.size && used.base < end ? used.base : end;
        if (stop > at) {
            *range = (struct boot_range){at, stop - at};
            return true;
        }
        at = used.base + used.size;
    }
}
