/* SPDX-License-Identifier: MIT */
/*
 * Blocks: the only unit of memory that a process gets, gives and returns.
 *
 * A block is 2^order frames with one owner, written in the descriptor of its first frame, and it is mapped at exactly
 * one address of its owner: at its exchange address (OS2_EXCHANGE_BASE + physical address, the same in every process)
 * or at a private address that the owner chose. A block is a linear value: given away means gone.
 *
 * What a program says about a block is never believed: an address is looked up in the caller's own tables, which gives
 * the frame, whose descriptor gives owner, state and order. All three are O(1), at any size.
 *
 * A change of hands is in two parts: block_find() and block_fits() ask everything that can go wrong and change nothing;
 * block_move() cannot fail.
 *
 * Memory is cleared when it is handed out, at most BLOCK_CLEAR_PAGES for each entry into the kernel: larger blocks are
 * cleared by making the system call again, so that no entry is long.
 */
#include "mm/block.h"

#include "lib/string.h"
#include "mm/fast.h"
#include "mm/paging.h"

static uint64_t block_bytes(unsigned order) {
    return OS2_PAGE_SIZE << order;
}

bool block_prot_valid(uint64_t prot) {
    return prot == OS2_PROT_READ || prot == (OS2_PROT_READ | OS2_PROT_WRITE) || prot == (OS2_PROT_READ | OS2_PROT_EXEC);
}

static struct device_block *find_device(const struct space *space, uint64_t pa) {
    for (unsigned i = 0; i < DEVICE_BLOCKS; i++) {
        struct device_block *d = &space->devices->block[i];
        if (__atomic_load_n(&d->taken, __ATOMIC_ACQUIRE) && d->owner == space->slot && d->base == pa)
            return d;
    }
    return NULL;
}

enum os2_status block_find(const struct space *space, uint64_t va, struct block *ret_block) {
    unsigned level;
    if (va & (OS2_PAGE_SIZE - 1))
        return OS2_E_OWNER;
    uint64_t *entry = paging_find(space, va, &level);
    if (!entry)
        return OS2_E_OWNER;
    uint64_t pa = arch_pte_address(*entry);
    struct block b = {.va = va, .pa = pa, .leaf = entry};
    if (heap_covers(space->heap, pa >> OS2_PAGE_SHIFT) &&
        heap_frame(space->heap, (uint32_t)(pa >> OS2_PAGE_SHIFT))->state != OS2_FRAME_RESERVED) {
        b.number = (uint32_t)(pa >> OS2_PAGE_SHIFT);
        const struct frame *f = heap_frame(space->heap, b.number);
        if (!frame_owned(f) || f->owner != space->slot)
            return OS2_E_OWNER; /* a tail: not where the block starts */
        b.order = f->order;
    } else {
        b.device = find_device(space, pa);
        if (!b.device)
            return OS2_E_OWNER;
        b.order = b.device->order;
    }
    /* A large leaf is found from any page inside it. */
    if (va & ((OS2_PAGE_SIZE << 9 * level) - 1))
        return OS2_E_OWNER;
    *ret_block = b;
    return OS2_OK;
}

/* See that a block can be mapped at `va`: nothing is in the way, and the tables are linked or in the reserve. */
static enum os2_status make_place(struct space *space, uint64_t va, unsigned order) {
    if (paging_place(space, va, order))
        return OS2_OK;
    int missing = paging_missing(space, va, order);
    return missing < 0 ? (enum os2_status)missing : space_refill(space, (unsigned)missing);
}

int block_alloc(struct space *space, unsigned order, uint64_t *ret_va) {
    return block_alloc_step(space, order, BLOCK_CLEAR_PAGES, ret_va);
}

int block_alloc_step(struct space *space, unsigned order, uint32_t most, uint64_t *ret_va) {
    if (order > OS2_ORDER_MAX)
        return OS2_E_INVALID;
    uint32_t pages = 1u << order;
    uint32_t number = space->clearing;
    if (number == FRAME_NONE) {
        paging_reclaim(space);
        uint8_t drains = space->drains;
        space->drains = 0;
        if (!space_affords(space, pages))
            return OS2_E_QUOTA;
        number = order ? heap_alloc(space->heap, order, OS2_FRAME_FLIGHT, space->slot)
                       : heap_alloc_cleared(space->heap, OS2_FRAME_FLIGHT, space->slot);
        /* So often and no more, however others fill up again what this call empties. */
        if (number == FRAME_AGAIN && drains < HEAP_DRAINS) {
            space->drains = drains + 1;
            space->cleared = 0;
            return BLOCK_AGAIN;
        }
        if (number == FRAME_NONE || number == FRAME_AGAIN)
            return OS2_E_MEMORY;
        /* Tables come after the block is known, since its address is its place in RAM. */
        space->charged += pages;
        enum os2_status status = make_place(space, OS2_EXCHANGE_BASE + ((uint64_t)number << OS2_PAGE_SHIFT), order);
        if (status != OS2_OK) {
            ASSERT(status != OS2_E_BUSY);
            space->charged -= pages;
            heap_free(space->heap, number);
            return status;
        }
        space->clearing = number;
        space->cleared = order ? 0 : 1;
    }
    uint32_t step = pages - space->cleared;
    if (step > most)
        step = most;
    frames_clear(number + space->cleared, step);
    space->cleared += step;
    if (space->cleared < pages)
        return BLOCK_AGAIN;
    space->clearing = FRAME_NONE;
    uint64_t pa = (uint64_t)number << OS2_PAGE_SHIFT;
    heap_frame(space->heap, number)->state = OS2_FRAME_OWNED;
    frame_list_push(space->frames, &space->blocks, &space->frames[number]);
    paging_map(space, OS2_EXCHANGE_BASE + pa, pa, order, OS2_PROT_READ | OS2_PROT_WRITE, false);
    if (order == 0)
        fast_find_region(space, number);
    *ret_va = OS2_EXCHANGE_BASE + pa;
    return OS2_OK;
}

enum os2_status block_free(struct space *space, uint64_t va) {
    struct block b;
    enum os2_status status = block_find(space, va, &b);
    if (status != OS2_OK)
        return status;
    paging_unmap(space, va, b.order, b.leaf);
    paging_reclaim(space);
    if (b.device) {
        space->device_blocks--;
        __atomic_store_n(&b.device->taken, false, __ATOMIC_RELEASE);
        return OS2_OK;
    }
    frame_list_remove(space->frames, &space->blocks, &space->frames[b.number]);
    space->charged -= 1u << b.order;
    heap_free(space->heap, b.number);
    return OS2_OK;
}

/* What its descriptor says of a block that is mapped there: mm/fast.h goes by it. */
static uint8_t state_at(uint64_t va) {
    return va < OS2_EXCHANGE_BASE ? OS2_FRAME_PLACED : OS2_FRAME_OWNED;
}

/* Where a block would go: its exchange address for 0, else a private address that is fit for it. */
static enum os2_status target(const struct block *block, uint64_t to, uint64_t *ret_va) {
    if (to == 0 || to == OS2_EXCHANGE_BASE + block->pa) {
        *ret_va = OS2_EXCHANGE_BASE + block->pa;
        return OS2_OK;
    }
    uint64_t size = block_bytes(block->order);
    if (to & (size - 1) || to < OS2_PRIVATE_MIN || to >= OS2_PRIVATE_MAX || size > OS2_PRIVATE_MAX - to)
        return OS2_E_INVALID;
    *ret_va = to;
    return OS2_OK;
}

enum os2_status block_place(struct space *space, uint64_t va, uint64_t to, unsigned prot, uint64_t *ret_va) {
    struct block b;
    uint64_t new_va;
    enum os2_status status = block_find(space, va, &b);
    if (status == OS2_OK)
        status = target(&b, to, &new_va);
    if (status != OS2_OK)
        return status;
    if (!block_prot_valid(prot) || (b.device && prot & OS2_PROT_EXEC))
        return OS2_E_INVALID;
    if (new_va == va) {
        paging_protect(space, va, b.order, b.leaf, prot, b.device);
    } else {
        status = make_place(space, new_va, b.order);
        if (status != OS2_OK)
            return status;
        /* Mapped twice for a moment, which no program can see; the other order could drop a table that the new place
         * needs, and then fail half-way. */
        paging_map(space, new_va, b.pa, b.order, prot, b.device);
        paging_unmap(space, va, b.order, b.leaf);
        if (!b.device)
            heap_frame(space->heap, b.number)->state = state_at(new_va);
    }
    if (prot & OS2_PROT_EXEC)
        arch_fence_code();
    *ret_va = new_va;
    return OS2_OK;
}

enum os2_status block_fits(struct space *space, const struct block *block, uint64_t to) {
    uint64_t va;
    enum os2_status status = target(block, to, &va);
    if (status != OS2_OK)
        return status;
    if (!block->device && !space_affords(space, UINT64_C(1) << block->order))
        return OS2_E_QUOTA;
    if (paging_place(space, va, block->order))
        return OS2_OK;
    int missing = paging_missing(space, va, block->order);
    if (missing < 0)
        return (enum os2_status)missing;
    return missing > space->reserve_count ? OS2_E_FULL : OS2_OK;
}

uint64_t block_move(struct space *from, struct space *into, const struct block *block, uint64_t to, unsigned prot) {
    uint64_t va;
    enum os2_status status = target(block, to, &va);
    ASSERT(status == OS2_OK);
    paging_unmap(from, block->va, block->order, block->leaf);
    if (block->device) {
        block->device->owner = into->slot;
        from->device_blocks--;
        into->device_blocks++;
        into->had_device = true;
    } else {
        frame_list_remove(from->frames, &from->blocks, &from->frames[block->number]);
        from->charged -= 1u << block->order;
        heap_frame(into->heap, block->number)->tag = frame_tag(state_at(va), block->order, into->slot);
        frame_list_push(into->frames, &into->blocks, &into->frames[block->number]);
        into->charged += 1u << block->order;
    }
    paging_map(into, va, block->pa, block->order, prot, block->device);
    return va;
}

enum os2_status block_adopt(struct space *space, uint32_t number) {
    struct frame *f = heap_frame(space->heap, number);
    uint64_t pa = (uint64_t)number << OS2_PAGE_SHIFT;
    enum os2_status status = make_place(space, OS2_EXCHANGE_BASE + pa, f->order);
    if (status != OS2_OK)
        return status;
    f->state = OS2_FRAME_OWNED;
    f->owner = space->slot;
    frame_list_push(space->frames, &space->blocks, &space->frames[number]);
    space->charged += 1u << f->order;
    paging_map(space, OS2_EXCHANGE_BASE + pa, pa, f->order, OS2_PROT_READ | OS2_PROT_WRITE, false);
    return OS2_OK;
}

enum os2_status block_claim_device(struct space *space, uint64_t base, unsigned order, uint64_t *ret_va) {
    uint64_t size = order <= OS2_ORDER_MAX ? block_bytes(order) : 0;
    if (!size || base & (size - 1) || base >= ARCH_USER_END - OS2_EXCHANGE_BASE)
        return OS2_E_INVALID;
    enum os2_status status = make_place(space, OS2_EXCHANGE_BASE + base, order);
    if (status != OS2_OK)
        return status;
    struct device_table *table = space->devices;
    struct device_block *spare = NULL;
    lock_acquire(&table->lock);
    for (unsigned i = 0; i < DEVICE_BLOCKS; i++) {
        struct device_block *d = &table->block[i];
        if (!__atomic_load_n(&d->taken, __ATOMIC_ACQUIRE)) {
            spare = spare ? spare : d;
        } else if (base < d->base + block_bytes(d->order) && d->base < base + size) {
            lock_release(&table->lock);
            return OS2_E_BUSY;
        }
    }
    if (spare) {
        spare->base = base;
        spare->order = (uint8_t)order;
        spare->owner = space->slot;
        __atomic_store_n(&spare->taken, true, __ATOMIC_RELEASE);
    }
    lock_release(&table->lock);
    if (!spare)
        return OS2_E_FULL;
    space->device_blocks++;
    space->had_device = true;
    paging_map(space, OS2_EXCHANGE_BASE + base, base, order, OS2_PROT_READ | OS2_PROT_WRITE, true);
    *ret_va = OS2_EXCHANGE_BASE + base;
    return OS2_OK;
}
