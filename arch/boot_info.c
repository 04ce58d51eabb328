/* SPDX-License-Identifier: MIT */
/*
 * struct boot_info: what a port fills in, and what all that boots asks of it.
 *
 * Ranges are bytes. Firmware names them in any order, in pieces that touch, and more than once. So the two lists that
 * boot_ram() and boot_reserve() make are always sorted, and whatever touches or overlaps is one range: a bank is a bank
 * however it is written. The questions below do not rely on it, and take lists that a test wrote by hand.
 *
 * A page that a range only touches is in it where it is in use, and not in it where it is RAM.
 *
 * A list is full when BOOT_RANGES ranges do not touch each other. Then RAM gives up its smallest range, which costs
 * least; reserved memory makes one range of the two that are nearest to each other, for none of it may be forgotten.
 */
#include "arch/arch.h"
#include "lib/string.h"

#define ALIGN_DOWN(address) ((address) & ~(OS2_PAGE_SIZE - 1))
#define ALIGN_UP(address) ALIGN_DOWN((address) + OS2_PAGE_SIZE - 1)

static uint64_t range_end(const struct boot_range *range) {
    return range->base + range->size;
}

static void range_remove(struct boot_range *list, unsigned *count, unsigned at) {
    for ((*count)--; at < *count; at++)
        list[at] = list[at + 1];
}

/* Put [base, end) into a sorted list of ranges that do not touch, which has room for one more: with all that it
 * touches, it is one range. */
static void range_insert(struct boot_range *list, unsigned *count, uint64_t base, uint64_t end) {
    unsigned at = 0;
    while (at < *count && range_end(&list[at]) < base)
        at++;
    while (at < *count && list[at].base <= end) {
        base = list[at].base < base ? list[at].base : base;
        end = range_end(&list[at]) > end ? range_end(&list[at]) : end;
        range_remove(list, count, at);
    }
    for (unsigned i = (*count)++; i > at; i--)
        list[i] = list[i - 1];
    list[at] = (struct boot_range){base, end - base};
}

/* Where firmware's range ends, below the end of all addresses. */
static uint64_t clipped_end(uint64_t base, uint64_t size) {
    if (base >= BOOT_ADDRESS_END)
        return base;
    return size < BOOT_ADDRESS_END - base ? base + size : BOOT_ADDRESS_END;
}

void boot_ram(struct boot_info *info, uint64_t base, uint64_t size) {
    uint64_t end = clipped_end(base, size);
    if (base >= end)
        return;
    range_insert(info->ram, &info->ram_count, base, end);
    if (info->ram_count <= BOOT_RANGES)
        return;
    unsigned least = 0;
    for (unsigned i = 1; i < info->ram_count; i++)
        if (info->ram[i].size < info->ram[least].size)
            least = i;
    info->ram_left_out += info->ram[least].size;
    range_remove(info->ram, &info->ram_count, least);
}

void boot_reserve(struct boot_info *info, uint64_t base, uint64_t size) {
    struct boot_range *list = info->reserved;
    uint64_t end = clipped_end(base, size), least_gap = UINT64_MAX;
    if (base >= end)
        return;
    range_insert(list, &info->reserved_count, base, end);
    if (info->reserved_count <= BOOT_RANGES)
        return;
    unsigned least = 0;
    for (unsigned i = 0; i + 1 < info->reserved_count; i++) {
        uint64_t gap = list[i + 1].base - range_end(&list[i]);
        if (gap < least_gap && !boot_meets(info->kept, info->kept_count, range_end(&list[i]), list[i + 1].base)) {
            least_gap = gap;
            least = i;
        }
    }
    if (least_gap == UINT64_MAX)
        panic("more than %u ranges of reserved memory, and none can be joined", BOOT_RANGES);
    info->reserved_joined++;
    list[least].size = range_end(&list[least + 1]) - list[least].base;
    range_remove(list, &info->reserved_count, least + 1);
}

void boot_limit(struct boot_info *info, uint64_t limit) {
    while (info->ram_count && range_end(&info->ram[info->ram_count - 1]) > limit) {
        struct boot_range *last = &info->ram[info->ram_count - 1];
        uint64_t from = last->base > limit ? last->base : limit, end = range_end(last);
        log_line("RAM %lx..%lx is out of reach: not used", from, end);
        boot_reserve(info, from, end - from);
        last->size = from - last->base;
        if (!last->size)
            info->ram_count--;
    }
}

void boot_describe(const struct boot_info *info) {
    for (unsigned i = 0; i < info->ram_count; i++)
        log_line("RAM %lx..%lx", info->ram[i].base, range_end(&info->ram[i]));
    if (info->ram_left_out)
        log_line("RAM is in more than %u pieces: the smallest, %lu KiB, are not used", BOOT_RANGES,
                 info->ram_left_out >> 10);
    if (info->reserved_joined)
        log_line("reserved memory is in %u pieces too many: gaps between some are not used", info->reserved_joined);
}

bool boot_holds(const struct boot_range *list, unsigned count, const struct boot_range *range) {
    for (unsigned i = 0; i < count; i++)
        if (range->base >= list[i].base && range->size <= list[i].size &&
            range->base - list[i].base <= list[i].size - range->size)
            return true;
    return false;
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
