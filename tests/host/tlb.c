/* SPDX-License-Identifier: MIT */
/*
 * The host port's address spaces, and the translations that its cores may still use.
 *
 * Hardware may walk the tables of the current space at any time, and may keep what it finds, leaf or pointer, until the
 * fence that covers it. So each core remembers a few random walks: tagged with the ASID under which they were made, as
 * the RISC-V port does it (an ASID is a core's own; a space that comes from another core gets a fresh one, and an old
 * one is never resumed). A fence by address forgets leaves only, a fence of the space forgets its pointers too.
 *
 * tlb_check() finds a translation that a core could use for its current process, and that the process does not have. A
 * walk that meets a table which is not its space's panics at once: it was freed under a live root.
 */
#include "tests/host/internal.h"

#include "core/panic.h"
#include "mm/paging.h"

#define ENTRIES_KEPT 48
#define WALKS 3

struct translation {
    uint64_t asid; /* 0: none */
    uint64_t va;
    uint64_t pte;
    const uint64_t *entry; /* where it was read */
    unsigned level;
};

static struct tlb {
    uint64_t root; /* current; 0: the kernel's */
    uint16_t slot; /* whose tables these are */
    uint64_t asid, next_asid;
    struct translation kept[ENTRIES_KEPT];
} tlbs[CORES_MAX];

static struct host_random walk_random;

void tlb_reset(uint64_t seed) {
    for (unsigned i = 0; i < CORES_MAX; i++)
        tlbs[i] = (struct tlb){.next_asid = 1};
    walk_random.state = seed;
}

/* What hardware does of its own accord: walk at random, and keep what is valid. */
void tlb_walk(unsigned core) {
    struct tlb *t = &tlbs[core];
    for (unsigned n = 0; t->root && n < WALKS; n++) {
        uint32_t table = (uint32_t)(t->root >> OS2_PAGE_SHIFT);
        uint64_t va = 0;
        for (unsigned level = ARCH_TOP_LEVEL;; level--) {
            const struct frame *f = heap_frame(&machine.heap, table);
            if (f->state != OS2_FRAME_TABLE || f->owner != t->slot)
                panic("core %u walks frame %x, which is no table of slot %u (state %u, owner %u)", core, table, t->slot,
                      f->state, f->owner);
            const uint64_t *entries = frame_memory(table);
            unsigned end = level == ARCH_TOP_LEVEL ? 256 : 512, i = (unsigned)host_below(&walk_random, end);
            for (unsigned tried = 0; !arch_pte_valid(entries[i]) && tried < end; tried++)
                i = (i + 1) % end;
            if (!arch_pte_valid(entries[i]))
                break;
            va |= (uint64_t)i << (OS2_PAGE_SHIFT + 9 * level);
            t->kept[host_below(&walk_random, ENTRIES_KEPT)] =
                (struct translation){t->asid, va, entries[i], &entries[i], level};
            if (arch_pte_is_leaf(entries[i], level))
                break;
            table = (uint32_t)(arch_pte_address(entries[i]) >> OS2_PAGE_SHIFT);
        }
    }
}

static void forget(struct tlb *t, uint64_t asid, uint64_t va, bool leaves_only) {
    for (unsigned i = 0; i < ENTRIES_KEPT; i++) {
        struct translation *k = &t->kept[i];
        bool leaf = arch_pte_is_leaf(k->pte, k->level);
        uint64_t size = OS2_PAGE_SIZE << 9 * k->level;
        if (k->asid == asid && (!leaves_only || (leaf && (va & ~(size - 1)) == k->va)))
            k->asid = 0;
    }
}

void arch_space_init(struct arch_space *space, uint64_t *root) {
    *space = (struct arch_space){.root = arch_virt_to_phys(root)};
    root[511] = arch_pte_table(HOST_RAM_BASE); /* the kernel's half, which no walk may enter */
}

void arch_space_fini(uint64_t *root) {
    root[511] = 0;
}

static struct tlb *here(void) {
    return &tlbs[((struct arch_core *)host_core)->index];
}

bool arch_space_current(const struct arch_space *space) {
    return here()->root == space->root && space->core == ((struct arch_core *)host_core)->index + 1;
}

void arch_space_activate(struct core *core, struct arch_space *space) {
    unsigned index = ((struct arch_core *)core)->index;
    struct tlb *t = &tlbs[index];
    tlb_walk(index); /* the space being left was in use until here */
    t->root = 0;
    if (!space)
        return;
    if (space->core != index + 1) {
        space->core = index + 1;
        space->asid = t->next_asid++;
    } else if (space->owes_fence) {
        forget(t, space->asid, 0, false);
    }
    space->owes_fence = false;
    t->asid = space->asid;
    t->root = space->root;
    t->slot = heap_frame(&machine.heap, (uint32_t)(t->root >> OS2_PAGE_SHIFT))->owner;
    tlb_walk(index);
}

void arch_fence_address(struct arch_space *space, uint64_t va) {
    if (arch_space_current(space))
        forget(here(), space->asid, va, true);
    else
        space->owes_fence = true;
}

void arch_fence_space(struct arch_space *space) {
    if (arch_space_current(space))
        forget(here(), space->asid, 0, false);
    else
        space->owes_fence = true;
}

const char *tlb_check(unsigned core) {
    const struct tlb *t = &tlbs[core];
    const struct process *p = cores[core]->current;
    if (host_rest(core) != HOST_USER)
        return NULL;
    if (t->root != p->space.arch.root || t->slot != p->slot->index)
        return "a core's space is not its current process's";
    for (unsigned i = 0; i < ENTRIES_KEPT; i++) {
        const struct translation *k = &t->kept[i];
        if (k->asid != t->asid)
            continue;
        uint32_t table = frame_number((const void *)((uintptr_t)k->entry & ~(uintptr_t)(OS2_PAGE_SIZE - 1)));
        const struct frame *f = heap_frame(&machine.heap, table);
        if (f->state != OS2_FRAME_TABLE || f->owner != t->slot)
            return "a core may walk a table that has been freed";
        if (*k->entry != k->pte)
            return "a core may use a translation that its process has lost";
    }
    return NULL;
}
