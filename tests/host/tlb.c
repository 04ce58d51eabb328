/* SPDX-License-Identifier: MIT */
/*
 * The translations that the simulated cores may still use: what hardware does of its own accord, at its worst.
 *
 * A core walks the tables of the root that is loaded at any time: at every ordered access of any core, before and after
 * every fence, and where its process is in user mode. It keeps what it finds, leaf, pointer and (where the kind of
 * machine does so) invalid entry, under the address-space number of the walk, until a fence that covers it. A walk is
 * taken one entry at a time. Where loads of the root order nothing, as on RISC-V, one that was begun before may go on
 * after, and read what has been freed and is another's by then; but not past a fence that covers it. Where the walker
 * sets accessed bits, it does so in pointers too: the host's entries never have them preset, so that each first walk
 * is a write.
 *
 * What is held against the kernel, at once and by panic:
 *
 *     a walk at the loaded root reads a table that is not its space's: it was freed under a live root
 *     a walk, of whatever root, writes into a frame that is not a table of its space
 *     a core goes to user mode with a translation in reach that its process's tables do not have: by walking the
 *     tables in software, not by looking where the entry was
 *     a program's access to what is its own faults twice, though the kernel said that the first was spurious
 *
 *     an executable page is in reach whose text came after this core last fenced its instructions
 *
 * An invalid entry that is stale is no error: it costs a fault, which tlb_access() takes as a port's handler does.
 */
#include "tests/host/internal.h"

#include <string.h>

#include "mm/paging.h"

#define ENTRIES_KEPT 48
#define STEPS 5 /* of walks at a time: more than a whole one */
#define HOT 16

struct translation {
    bool kept;
    uint64_t asid;
    uint64_t va;
    uint64_t pte;
    unsigned level;
};

struct walk {
    bool active;
    uint64_t goal; /* the address that it is for; 0: anywhere */
    uint64_t asid, va, load;
    uint16_t slot;
    uint64_t born;
    uint32_t table;
    unsigned level;
};

static struct tlb {
    uint64_t root; /* current; 0: the kernel's */
    uint64_t asid;
    uint64_t load; /* how often a root was loaded */
    uint16_t slot; /* whose tables these are */
    uint64_t born;
    struct walk walk, late; /* of the loaded root; of one that was left */
    struct translation kept[ENTRIES_KEPT];
    unsigned kept_next; /* where the next one is kept, if hardware is quiet */
} tlbs[CORES_MAX];

static struct tlb_kind kind;
static struct host_random walk_random;
static uint64_t hot[HOT]; /* what programs have touched lately: where walks mostly go */
struct tlb_counts tlb_counts;

void tlb_reset(uint64_t seed, const struct tlb_kind *wanted) {
    for (unsigned i = 0; i < CORES_MAX; i++)
        tlbs[i] = (struct tlb){0};
    kind = *wanted;
    walk_random.state = seed;
    memset(hot, 0, sizeof hot);
    tlb_counts = (struct tlb_counts){0};
}

static uint64_t below(uint64_t limit) {
    return host_below(&walk_random, limit);
}

/* Is the frame a table of the space that this walk began in? */
static bool own_table(const struct walk *w) {
    if (!heap_covers(&machine.heap, w->table))
        return false;
    const struct frame *f = heap_frame(&machine.heap, w->table);
    return f->state == OS2_FRAME_TABLE && f->owner == w->slot && machine.slot[w->slot].born == w->born;
}

static bool readable(uint32_t frame) {
    return heap_covers(&machine.heap, frame) && heap_frame(&machine.heap, frame)->state != OS2_FRAME_RESERVED;
}

static void begin(struct tlb *t) {
    t->walk = (struct walk){
        .active = true,
        .goal = below(3) ? hot[below(HOT)] : 0,
        .asid = t->asid,
        .load = t->load,
        .slot = t->slot,
        .born = t->born,
        .table = (uint32_t)(t->root >> OS2_PAGE_SHIFT),
        .level = ARCH_TOP_LEVEL,
    };
}

/* One entry of a walk. */
static void read_entry(unsigned core, struct walk *w) {
    struct tlb *t = &tlbs[core];
    bool own = own_table(w);
    if (!own && w->load == t->load)
        panic("core %u walks frame %x, which is no table of slot %u", core, w->table, w->slot);
    if (!own && !readable(w->table)) {
        w->active = false;
        return;
    }
    tlb_counts.late += w->load != t->load;
    tlb_counts.foreign += !own;
    uint64_t *entries = frame_memory(w->table);
    unsigned end = w->level == ARCH_TOP_LEVEL ? ARCH_USER_ENTRIES : 512, i = (unsigned)below(end);
    if (w->goal)
        i = w->goal >> (OS2_PAGE_SHIFT + 9 * w->level) & 511;
    else
        for (unsigned tried = 0; !arch_pte_valid(entries[i]) && tried < end; tried++)
            i = (i + 1) % end;
    uint64_t pte = entries[i];
    bool valid = arch_pte_valid(pte);
    w->va |= (uint64_t)i << (OS2_PAGE_SHIFT + 9 * w->level);
    if (valid && kind.sets_accessed && !(pte & HOST_PTE_ACCESSED)) {
        if (!own)
            panic("core %u sets an accessed bit in frame %x, which is no table of slot %u", core, w->table, w->slot);
        tlb_counts.accessed++;
        pte = entries[i] |= HOST_PTE_ACCESSED;
    }
    if (valid || kind.caches_invalid)
        t->kept[kind.quiet ? t->kept_next++ % ENTRIES_KEPT : below(ENTRIES_KEPT)] =
            (struct translation){true, w->asid, w->va, pte, w->level};
    tlb_counts.walks++;
    if (!valid || arch_pte_is_leaf(pte, w->level) || w->level == 0) {
        w->active = false;
        return;
    }
    w->table = (uint32_t)(arch_pte_address(pte) >> OS2_PAGE_SHIFT);
    w->level--;
}

static void step(unsigned core) {
    struct tlb *t = &tlbs[core];
    struct walk *w = t->late.active && below(200) == 0 ? &t->late : &t->walk;
    if (kind.quiet || (!w->active && !t->root))
        return;
    if (!w->active)
        begin(t);
    read_entry(core, w);
}

void tlb_touch(unsigned core, uint64_t va) {
    struct tlb *t = &tlbs[core];
    if (!t->root)
        return;
    begin(t);
    t->walk.goal = va;
    while (t->walk.active)
        read_entry(core, &t->walk);
}

void tlb_walk(unsigned core) {
    for (unsigned n = 0; n < STEPS; n++)
        step(core);
}

void tlb_walk_anywhere(void) {
    for (unsigned n = 1 + (unsigned)below(STEPS); n; n--)
        step((unsigned)below(machine.core_count));
}

/* ---- What the instructions do. ---- */

void tlb_load(unsigned core, uint64_t root, uint64_t asid) {
    struct tlb *t = &tlbs[core];
    for (unsigned n = (unsigned)below(2 * STEPS); n; n--)
        step(core); /* the space being left was in use until here, and a walk may be half done */
    if (kind.late_walks && t->walk.active && !t->late.active)
        t->late = t->walk;
    t->walk.active = false;
    t->load++;
    t->root = root;
    t->asid = asid;
    if (!root)
        return;
    t->slot = heap_frame(&machine.heap, (uint32_t)(root >> OS2_PAGE_SHIFT))->owner;
    t->born = machine.slot[t->slot].born;
    tlb_walk(core); /* before a fence that may follow */
}

uint64_t tlb_root(unsigned core) {
    return tlbs[core].root;
}

static bool covers(const struct translation *k, uint64_t va) {
    return ((k->va ^ va) & ~((OS2_PAGE_SIZE << 9 * k->level) - 1)) == 0;
}

static bool points(const struct translation *k) {
    return arch_pte_valid(k->pte) && !arch_pte_is_leaf(k->pte, k->level);
}

void tlb_fence(unsigned core, enum tlb_fence which, uint64_t va, uint64_t asid) {
    struct tlb *t = &tlbs[core];
    tlb_walk(core); /* whatever was written before is not looked at by the fence alone */
    tlb_counts.fences[which]++;
    if (which != TLB_ALL && kind.only_all)
        return; /* the erratum: it does nothing */
    for (unsigned i = 0; i < ENTRIES_KEPT; i++) {
        struct translation *k = &t->kept[i];
        if (which == TLB_ALL || (k->asid == asid && (which == TLB_ASID || (!points(k) && covers(k, va)) ||
                                                     (which == TLB_PAGE && points(k)))))
            k->kept = false;
    }
    /* What walks have read may be old. */
    t->walk.active &= which != TLB_ALL && t->walk.asid != asid;
    t->late.active &= which != TLB_ALL && t->late.asid != asid;
    tlb_walk(core);
}

/* ---- Code: when it came into a page, and when each core last dropped what it had read as instructions before. ---- */

#define CODE_FRAMES 0x10000
static uint64_t code_clock, code_came[CODE_FRAMES], code_fenced[CORES_MAX];

static uint64_t *came(uint64_t pa) {
    return &code_came[(pa >> OS2_PAGE_SHIFT) % CODE_FRAMES];
}

void host_code_arrived(uint64_t pa) {
    *came(pa) = ++code_clock;
}

void arch_fence_code(void) {
    code_fenced[arch_core_index()] = ++code_clock;
}

static bool old_code(unsigned core, const struct translation *k) {
    return arch_pte_is_leaf(k->pte, k->level) && arch_pte_prot(k->pte) & OS2_PROT_EXEC &&
           *came(arch_pte_address(k->pte)) > code_fenced[core];
}

/* ---- What a core can reach. ---- */

/* The entry for `va` at `level` in the tables of a space, if they reach so far down. */
static const uint64_t *entry_of(const struct space *space, uint64_t va, unsigned level) {
    const uint64_t *table = space->root;
    for (unsigned l = ARCH_TOP_LEVEL;; l--) {
        const uint64_t *entry = &table[va >> (OS2_PAGE_SHIFT + 9 * l) & 511];
        if (l == level)
            return entry;
        if (!arch_pte_valid(*entry) || arch_pte_is_leaf(*entry, l))
            return NULL;
        table = arch_phys_to_virt(arch_pte_address(*entry));
    }
}

const char *tlb_check(unsigned core) {
    const struct tlb *t = &tlbs[core];
    const struct process *p = cores[core]->current;
    if (host_rest(core) != HOST_USER)
        return NULL;
    if (t->root != arch_virt_to_phys(p->space.root) || t->slot != p->slot->index)
        return "a core's space is not its current process's";
    for (unsigned i = 0; i < ENTRIES_KEPT; i++) {
        const struct translation *k = &t->kept[i];
        if (!k->kept || k->asid != t->asid || !arch_pte_valid(k->pte))
            continue;
        tlb_counts.checked++;
        const uint64_t *entry = entry_of(&p->space, k->va, k->level);
        if (!entry || ((*entry ^ k->pte) & ~HOST_PTE_ACCESSED))
            return points(k) ? "a core may walk a table that its process has lost"
                             : "a core may use a translation that its process has lost";
        if (old_code(core, k))
            return "a core may run what was in a page before its code came";
    }
    return NULL;
}

/* Does a cached translation, or the tables, allow this access? Whatever is cached is believed, the longest first. */
static bool allows(unsigned core, const struct process *p, uint64_t va, unsigned prot) {
    const struct tlb *t = &tlbs[core];
    const struct translation *best = NULL;
    for (unsigned i = 0; i < ENTRIES_KEPT; i++) {
        const struct translation *k = &t->kept[i];
        if (k->kept && k->asid == t->asid && !points(k) && covers(k, va) && (!best || k->level < best->level))
            best = k;
    }
    if (best) {
        tlb_counts.hits++;
        return arch_pte_valid(best->pte) && (arch_pte_prot(best->pte) & prot) == prot;
    }
    unsigned level;
    const uint64_t *entry = paging_find(&p->space, va, &level);
    return entry && (arch_pte_prot(*entry) & prot) == prot;
}

const char *tlb_access(unsigned core, uint64_t va, unsigned fault) {
    static const unsigned wanted[] = {
        [OS2_FAULT_READ] = OS2_PROT_READ, [OS2_FAULT_WRITE] = OS2_PROT_WRITE, [OS2_FAULT_EXEC] = OS2_PROT_EXEC};
    const struct process *p = cores[core]->current;
    unsigned level;
    const uint64_t *entry = paging_find(&p->space, va, &level);
    if (va < ARCH_USER_END)
        hot[below(HOT)] = va;
    bool may = entry && arch_pte_prot(*entry) & wanted[fault];
    for (unsigned tries = 0; tries < 2; tries++) {
        if (allows(core, p, va, wanted[fault]))
            return may ? NULL : "a program can do what its tables do not allow";
        if (fault_spurious(cores[core], fault, va) != may)
            return "the kernel takes a fault for what it is not";
        if (!may)
            return NULL; /* the program would end here */
        tlb_counts.spurious++;
        tlb_fence(core, TLB_ALL, 0, 0);
    }
    return "a program faults twice on what is its own";
}
