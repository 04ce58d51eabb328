/* SPDX-License-Identifier: MIT */
/*
 * Checks that stop the world, or make it fail: in the checking build alone, and only where a boot argument asks.
 *
 *     os2.recount    At some system calls all cores are stopped: each takes an IPI in user mode or while it idles, so
 *                    that none is inside the kernel. Then every frame and every process is looked at, and what they
 *                    add up to is held against the counts: the heap's and the magazines', and for each process blocks,
 *                    tables and objects; and against the sums of the first time, which never change.
 *     os2.faults     Of each system call that may get memory, the first allocation is made to fail, then the second
 *                    alone, and so on until none is left to fail; the last time is the program's own. Each time but
 *                    the last the call must say OS2_E_MEMORY and have changed nothing of its caller's. In a receive
 *                    what fails is the sender's call: there, each delivery is looked at so, and neither the sender nor
 *                    the receiver may have changed.
 *
 * Whatever is wrong is a panic. A program cannot turn this on, and the shipped kernel has none of it.
 */
#include "core/check.h"

#include "core/log.h"
#include "core/state.h"
#include "lib/string.h"

#define MOMENT_CALLS 499  /* a count each so many calls of a core */
enum { GO, STOP, LEAVE }; /* checks.stop */
#define BOOKS_BLOCKS 64   /* of a caller's blocks so many are looked at */

void check_boot(void) {
    machine.checks.recount = boot_argument(machine.boot, "os2.recount");
    machine.checks.faults = boot_argument(machine.boot, "os2.faults");
    if (machine.checks.recount || machine.checks.faults)
        log_line("checks:%s%s", machine.checks.recount ? " recounts" : "", machine.checks.faults ? " faults" : "");
}

/* ---- Counting. ---- */

/* What a process's books say, less what the descriptors say, must be 0 in the end. */
static const char *count_process(struct process *p, uint64_t *quota, uint64_t *charged) {
    const struct heap *heap = &machine.heap;
    uint64_t owned = 0, tables = 0, objects = 0;
    for (uint32_t n = heap->first; n < heap->end;) {
        const struct frame *f = heap_frame(heap, n);
        uint32_t pages = f->state == OS2_FRAME_RESERVED ? 1 : 1u << f->order;
        if (f->owner == p->slot->index && f->state != OS2_FRAME_RESERVED) {
            owned += frame_owned(f) || f->state == OS2_FRAME_FLIGHT ? pages : 0;
            tables += f->state == OS2_FRAME_TABLE;
            objects += f->state == OS2_FRAME_OBJECT;
        }
        n += pages;
    }
    *quota += p->space.quota;
    *charged += p->space.charged;
    if (owned != space_owned(&p->space) || tables != p->space.tables || objects != p->space.objects)
        return "a process's pages: descriptors and counts disagree";
    enum kind kind = state_kind(p->slot->word);
    return kind == KIND_END || kind == KIND_CHD ? NULL : space_check(&p->space);
}

/* All cores but this one are stopped outside the kernel. */
static void count_all(void) {
    struct checks *checks = &machine.checks;
    uint64_t quota = 0, charged = 0;
    const char *wrong = heap_check(&machine.heap);
    for (uint32_t i = 1; i < machine.slot_high && !wrong; i++) {
        const struct slot *slot = &machine.slot[i];
        if (state_kind(slot->word) != KIND_FREE && slot->parent != SLOT_NONE)
            quota += machine.slot_pages;
        if (slot->process != PROCESS_NONE)
            wrong = count_process(slot->process, &quota, &charged);
    }
    if (!wrong)
        wrong = slot_check();
    uint64_t pages = heap_free_pages(&machine.heap) + charged;
    if (!checks->quota) {
        checks->quota = quota;
        checks->pages = pages;
    }
    if (!wrong && (quota != checks->quota || pages != checks->pages))
        wrong = "the sum of all quotas, or of all pages, has changed";
    if (wrong)
        panic("recount %lu: %s", checks->counts, wrong);
    if (++checks->counts % 100 == 0)
        log_line("checks: %lu recounts, all good", checks->counts);
}

void check_ipi(void) {
    struct checks *checks = &machine.checks;
    if (__atomic_load_n(&checks->stop, __ATOMIC_ACQUIRE) != STOP)
        return;
    __atomic_fetch_add(&checks->stopped, 1, __ATOMIC_SEQ_CST); /* pairs with stop_others() */
    while (__atomic_load_n(&checks->stop, __ATOMIC_ACQUIRE) == STOP)
        arch_relax();
    __atomic_fetch_sub(&checks->stopped, 1, __ATOMIC_SEQ_CST);
}

static void stop_others(const struct core *core) {
    uint32_t others = 0;
    for (uint32_t i = 0; i < machine.core_count; i++) {
        if (cores[i] == core || !__atomic_load_n(&cores[i]->shared.online, __ATOMIC_ACQUIRE))
            continue;
        others++;
        arch_ipi_send(cores[i]);
    }
    while (__atomic_load_n(&machine.checks.stopped, __ATOMIC_ACQUIRE) != others)
        arch_relax();
}

void check_moment(struct core *core) {
    struct checks *checks = &machine.checks;
    if (!checks->recount || ++checks->calls[core->index] % MOMENT_CALLS)
        return;
    uint32_t nobody = GO;
    if (!__atomic_compare_exchange_n(&checks->stop, &nobody, STOP, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        check_ipi(); /* another core counts just now */
        return;
    }
    stop_others(core);
    count_all();
    /* The next one may stop the others only once all have left, or they would not see that they may go on. */
    __atomic_store_n(&checks->stop, LEAVE, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&checks->stopped, __ATOMIC_ACQUIRE))
        arch_relax();
    __atomic_store_n(&checks->stop, GO, __ATOMIC_SEQ_CST);
}

/* ---- Faults. ---- */

static uint64_t mix(uint64_t sum, uint64_t value) {
    return (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (sum >> 29);
}

static void count_refused(void) {
    if (++machine.checks.refused % 100 == 0)
        log_line("checks: %lu allocations refused, all good", machine.checks.refused);
}

/* What a failed call may not change. Tables are excepted: it may fill the reserve, and free those long unlinked, before
 * it fails. */
static uint64_t books(const struct process *p) {
    uint64_t sum = mix(space_owned(&p->space), p->space.quota);
    uint32_t n = p->space.blocks;
    for (unsigned i = 0; i < BOOKS_BLOCKS && n != FRAME_NONE; i++, n = heap_frame(&machine.heap, n)->next)
        sum = mix(sum, n);
    for (unsigned i = 0; i < OS2_HANDLES; i++)
        sum = mix(mix(sum, p->handles->entry[i].target), p->handles->entry[i].badge);
    sum = mix(sum, p->space.device_blocks);
    return mix(sum, p->slot->children);
}

enum os2_status check_delivery(struct process *from, struct process *into, check_parcel *look, struct parcel *parcel) {
    uint32_t *refuse = &machine.heap.refuse[arch_core_index()];
    if (!machine.checks.faults || *refuse) /* or this is a call of which check_call() makes allocations fail */
        return look(from, into, parcel);
    for (uint32_t n = 1;; n++) {
        uint64_t before = mix(books(from), books(into));
        *refuse = n;
        enum os2_status status = look(from, into, parcel);
        bool all_good = *refuse != 0;
        *refuse = 0;
        if (all_good)
            return status;
        if (status != OS2_E_MEMORY || mix(books(from), books(into)) != before)
            panic("a delivery, allocation %u refused: status %d, or somebody's books have changed", n, (int)status);
        count_refused();
    }
}

int check_call(struct core *core, struct process *process, unsigned number, syscall_handler *handler) {
    uint32_t *refuse = &machine.heap.refuse[core->index];
    uint64_t reg[OS2_R_COUNT];
    if (!machine.checks.faults || number == OS2_SYS_receive || number == OS2_SYS_reply_receive)
        return handler(core, process);
    memcpy(reg, process->reg, sizeof reg);
    for (uint32_t n = 1;; n++) {
        uint64_t before = books(process);
        *refuse = n;
        int outcome = handler(core, process);
        bool all_good = *refuse != 0;
        *refuse = 0;
        if (all_good)
            return outcome;
        if (outcome != OS2_E_MEMORY)
            panic("call %u, allocation %u refused: outcome %d", number, n, outcome);
        if (books(process) != before)
            panic("call %u, allocation %u refused: its caller's books have changed", number, n);
        count_refused();
        memcpy(process->reg, reg, sizeof reg);
    }
}
