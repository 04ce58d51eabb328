/* SPDX-License-Identifier: MIT */
/*
 * Starting a child by moves (os2/spawn.h).
 *
 * Each piece of the child (segment, stack, start page) is a block of the parent, filled at its exchange address and
 * then given to the child at its place. The pieces of a segment are the largest aligned blocks that fit, and single
 * pages where the heap has none so large. The child's quota is moved at its creation, and the blocks leave the parent's
 * account one by one, so the parent needs only room for one piece more than the quota.
 */
#include "os2/spawn.h"

#include "arch_user.h"
#include "lib/elf.h"
#include "lib/format.h"
#include "os2/file.h"
#include "os2/string.h"

static int spawn_read(const void *image, size_t size, struct elf *ret_elf, const char **ret_reason) {
    int status = elf_read(image, size, OS2_ELF_MACHINE, OS2_PROGRAM_BASE, OS2_LARGE_END, ret_elf, ret_reason);

    for (unsigned i = 0; status >= 0 && i < ret_elf->count; i++) {
        const struct elf_segment *segment = &ret_elf->segments[i];
        if (segment->address < OS2_LARGE_BASE &&
            segment->address + (segment->pages << OS2_PAGE_SHIFT) > OS2_PROGRAM_END) {
            if (ret_reason)
                *ret_reason = "a segment is where the stack goes";
            status = OS2_E_INVALID;
        }
    }
    return status;
}

static uint64_t spawn_least(const struct elf *elf, unsigned stack_order) {
    uint64_t pages = OS2_CHILD_OVERHEAD + (UINT64_C(1) << stack_order) + 1;
    for (unsigned i = 0; i < elf->count; i++)
        pages += elf->segments[i].pages + elf->segments[i].pages / 512; /* tables, where memory is in small pieces */
    return pages;
}

static unsigned spawn_stack_order(unsigned wanted) {
    return wanted ? wanted : OS2_STACK_ORDER;
}

int os2_child_least(const void *image, size_t image_size, unsigned stack_order, uint64_t *ret_pages) {
    struct elf elf;
    int status = spawn_read(image, image_size, &elf, NULL);
    if (status >= 0)
        *ret_pages = spawn_least(&elf, spawn_stack_order(stack_order));
    return status;
}

/* Copies to the block what the file has for the bytes [done, done + size) of the segment's pages. */
static void spawn_fill(const uint8_t *image, const struct elf_segment *segment, uint64_t done, uint64_t size,
                       uint8_t *block) {
    uint64_t first = segment->lead, last = segment->lead + segment->file_size;

    if (first < done)
        first = done;
    if (last > done + size)
        last = done + size;
    if (first < last)
        memcpy(block + (first - done), image + segment->offset + (first - segment->lead), last - first);
}

/* Allocates a piece of at most 2^order pages; *ret_order: how many it has. */
static int spawn_piece(unsigned order, void **ret_block, unsigned *ret_order) {
    int status;

    while ((status = os2_block_alloc(order, ret_block)) < 0 && order > 0)
        order--;
    *ret_order = order;
    return status;
}

static int spawn_segment(unsigned control, const uint8_t *image, const struct elf_segment *segment) {
    uint64_t page = 0;

    while (page < segment->pages) {
        uint64_t address = segment->address + (page << OS2_PAGE_SHIFT);
        unsigned order = 0;
        void *block;
        int status;

        /* As large as the address allows, so that large programs have large leaves. */
        while (order < OS2_ORDER_MAX && !(address & (OS2_PAGE_SIZE << order)) &&
               (UINT64_C(2) << order) <= segment->pages - page)
            order++;
        status = spawn_piece(order, &block, &order);
        if (status < 0)
            return status;
        spawn_fill(image, segment, page << OS2_PAGE_SHIFT, OS2_PAGE_SIZE << order, block);
        status = os2_process_give(control, block, address, segment->protection);
        if (status < 0) {
            os2_block_free(block);
            return status;
        }
        page += UINT64_C(1) << order;
    }
    return OS2_OK;
}

int os2_child_fill(struct os2_child *child, const void *bytes, size_t size, uint64_t address, unsigned protection) {
    const struct elf_segment segment = {.address = address,
                                        .pages = (size + OS2_PAGE_SIZE - 1) >> OS2_PAGE_SHIFT,
                                        .file_size = size,
                                        .protection = protection};
    return spawn_segment(child->control, bytes, &segment);
}

static int spawn_stack(struct os2_child *child, unsigned order) {
    void *block;
    int status = os2_block_alloc(order, &block);

    if (status < 0)
        return status;
    child->stack_end = OS2_STACK_END;
    child->stack_low = OS2_STACK_END - (OS2_PAGE_SIZE << order);
    status = os2_process_give(child->control, block, child->stack_low, OS2_PROT_READ | OS2_PROT_WRITE);
    if (status < 0)
        os2_block_free(block);
    return status;
}

int os2_child_create(const struct os2_child_plan *plan, struct os2_child *ret_child, const char **ret_reason) {
    struct os2_process_plan process = plan->process;
    unsigned stack_order = spawn_stack_order(plan->stack_order);
    struct os2_child child = {0};
    struct elf elf;
    uint64_t least;
    void *page;
    int status;

    if (ret_reason)
        *ret_reason = NULL;
    if (stack_order > OS2_STACK_ORDER_MAX)
        return OS2_E_INVALID;
    status = spawn_read(plan->image, plan->image_size, &elf, ret_reason);
    if (status < 0)
        return status;
    least = spawn_least(&elf, stack_order);
    if (process.quota < least)
        process.quota = least;
    if (!process.quantum) {
        struct os2_process_facts self;
        status = os2_process_facts(0, 0, &self);
        if (status < 0)
            return status;
        process.quantum = self.quantum < OS2_QUANTUM_DEFAULT ? self.quantum : OS2_QUANTUM_DEFAULT;
    }
    if (!process.watchdog_ms)
        process.watchdog_ms = OS2_WATCHDOG_DEFAULT_MS;
    else if (process.watchdog_ms == OS2_CHILD_NO_WATCHDOG)
        process.watchdog_ms = 0;
    status = os2_process_create(&process, &child.control, &child.id);
    if (status < 0)
        return status;

    child.entry = elf.entry;
    for (unsigned i = 0; i < elf.count && status >= 0; i++)
        status = spawn_segment(child.control, plan->image, &elf.segments[i]);
    if (status >= 0)
        status = spawn_stack(&child, stack_order);
    if (status >= 0)
        status = os2_block_alloc(0, &page);
    if (status < 0) {
        os2_child_drop(&child);
        return status;
    }
    child.page = page;
    child.page->magic = OS2_START_MAGIC;
    *ret_child = child;
    return OS2_OK;
}

int os2_child_grant(struct os2_child *child, const char *name, unsigned handle, unsigned rights) {
    struct os2_start_handle *entry = &child->page->handles[child->page->handle_count];
    unsigned index;
    int status;

    if (child->page->handle_count == OS2_START_HANDLES)
        return OS2_E_FULL;
    status = os2_process_grant(child->control, handle, rights, 0, &index);
    if (status < 0)
        return status;
    for (unsigned i = 0; i < OS2_START_NAME && name[i]; i++)
        entry->name[i] = name[i];
    entry->handle = index;
    child->page->handle_count++;
    return OS2_OK;
}

/* Puts a text into the start page; *ret: its address in the child. False: there is no room. */
static bool spawn_text(struct os2_start_page *page, size_t *used, const char *text, uint64_t *ret) {
    size_t size = strlen(text) + 1;

    if (size > OS2_PAGE_SIZE - sizeof(*page) - *used)
        return false;
    memcpy(page->room + *used, text, size);
    *ret = OS2_START_PAGE + sizeof(*page) + *used;
    *used += size;
    return true;
}

/* Puts the arguments behind the table of handles: the pointers, then the strings, then working folder and files. */
static int spawn_arguments(const struct os2_child *child, unsigned argc, const char *const *argv) {
    struct os2_start_page *page = child->page;
    size_t room = OS2_PAGE_SIZE - sizeof(*page), used = (argc + (size_t)1) * sizeof(uint64_t);
    uint64_t *pointers = (uint64_t *)page->room;

    if (argc >= room / sizeof(uint64_t))
        return OS2_E_FULL;
    for (unsigned i = 0; i < argc; i++)
        if (!spawn_text(page, &used, argv[i], &pointers[i]))
            return OS2_E_FULL;
    pointers[argc] = 0;
    if (!spawn_text(page, &used, os2_folder_working(), &page->folder) ||
        (child->input && !spawn_text(page, &used, child->input, &page->input)) ||
        (child->output && !spawn_text(page, &used, child->output, &page->output)))
        return OS2_E_FULL;
    page->append = child->append;
    page->columns = child->columns;
    page->argc = argc;
    page->argv = OS2_START_PAGE + sizeof(*page);
    return OS2_OK;
}

int os2_child_start(struct os2_child *child, unsigned argc, const char *const *argv) {
    int status = spawn_arguments(child, argc, argv);
    if (status < 0)
        return status;
    status = os2_process_give(child->control, child->page, OS2_START_PAGE, OS2_PROT_READ);
    if (status < 0)
        return status;
    child->page = NULL;
    return os2_process_start(child->control, child->entry, child->stack_end, OS2_START_PAGE);
}

void os2_child_drop(struct os2_child *child) {
    if (child->page)
        os2_block_free(child->page);
    if (child->control)
        os2_handle_close(child->control);
    *child = (struct os2_child){0};
}

bool os2_child_overrun(const struct os2_child *child, const struct os2_process_end *end) {
    bool access = end->value == OS2_FAULT_READ || end->value == OS2_FAULT_WRITE;
    return end->reason == OS2_END_FAULT && access && end->address < child->stack_low && end->address >= OS2_PROGRAM_END;
}

/* The fault in words: what was tried, and where. */
static void spawn_describe_fault(const struct os2_child *child, const struct os2_process_end *end, char *text,
                                 size_t size) {
    const char *what = os2_fault_text((enum os2_fault)end->value);

    if (os2_child_overrun(child, end)) {
        format(text, size, "stack overrun: %s at 0x%lx, below the stack's 0x%lx, at pc 0x%lx", what, end->address,
               child->stack_low, end->pc);
        return;
    }
    switch (end->value) {
    case OS2_FAULT_READ:
        format(text, size, "read of 0x%lx (not mapped or not readable) at pc 0x%lx", end->address, end->pc);
        break;
    case OS2_FAULT_WRITE:
        format(text, size, "write to 0x%lx (not mapped or not writable) at pc 0x%lx", end->address, end->pc);
        break;
    case OS2_FAULT_EXEC:
        format(text, size, "jump to 0x%lx (not mapped or not executable)", end->pc);
        break;
    case OS2_FAULT_ALIGN:
        format(text, size, "misaligned access to 0x%lx at pc 0x%lx", end->address, end->pc);
        break;
    default:
        format(text, size, "%s at pc 0x%lx", what, end->pc);
        break;
    }
}

void os2_child_describe(const struct os2_child *child, const struct os2_process_end *end, char *text, size_t size) {
    switch (end->reason) {
    case OS2_END_EXIT:
        format(text, size, "exit %lu", end->value);
        break;
    case OS2_END_KILLED:
        format(text, size, "killed");
        break;
    case OS2_END_SUPERVISOR:
        format(text, size, "its supervisor ended");
        break;
    case OS2_END_WATCHDOG:
        format(text, size, "watchdog: no system call for its limit, at pc 0x%lx", end->pc);
        break;
    case OS2_END_FAULT:
        spawn_describe_fault(child, end, text, size);
        break;
    default:
        format(text, size, "ended for an unknown reason");
        break;
    }
}

uint64_t os2_quota_left(void) {
    struct os2_process_facts facts;
    uint64_t used;

    if (os2_process_facts(0, 0, &facts) < 0)
        return 0;
    used = (uint64_t)facts.pages + facts.tables + facts.objects;
    return facts.quota > used ? facts.quota - used : 0;
}
