/* SPDX-License-Identifier: MIT */
/*
 * Starting init: the only program that the kernel loads, from the first file of the boot archive, a static ELF64.
 *
 * init's quota is all memory that is free at this moment but for what the cores' magazines can hold, and its own. It
 * gets the archive and the device tree as blocks at their exchange addresses, and a page with struct os2_boot whose
 * address is its argument. Every right and every page that another process ever has comes from here.
 */
#include "sys/init.h"

#include "core/log.h"
#include "core/turn.h"
#include "lib/cpio.h"
#include "lib/elf.h"
#include "lib/string.h"

#define STACK_PAGES 16
#define STACK_TOP UINT64_C(0x400000)
#define INIT_QUANTUM OS2_QUANTUM_MAX

static void check(enum os2_status status, const char *what) {
    if (status != OS2_OK)
        panic("init: %s: status %d", what, status);
}

/* One page at `va`, with `size` bytes of content. */
static void add_page(struct space *space, uint64_t va, unsigned prot, const uint8_t *bytes, size_t at, size_t size) {
    uint64_t exchange;
    check((enum os2_status)block_alloc(space, 0, &exchange), "no page");
    if (size)
        memcpy((uint8_t *)arch_phys_to_virt(exchange - OS2_EXCHANGE_BASE) + at, bytes, size);
    check(block_place(space, exchange, va, prot, &exchange), "a segment lies where a program cannot be");
}

static void load_segment(struct space *space, const struct cpio_file *file, const struct elf_segment *s) {
    for (uint64_t page = 0; page < s->pages; page++) {
        uint64_t at = page ? 0 : s->lead, done = (page << OS2_PAGE_SHIFT) + at - s->lead;
        uint64_t left = done < s->file_size ? s->file_size - done : 0, room = OS2_PAGE_SIZE - at;
        add_page(space, s->address + (page << OS2_PAGE_SHIFT), s->protection, file->bytes + s->offset + done, at,
                 left < room ? left : room);
    }
}

static uint64_t load(struct space *space, const struct cpio_file *file) {
    const char *reason;
    struct elf elf;
    if (elf_read(file->bytes, file->size, OS2_ELF_MACHINE, OS2_PRIVATE_MIN, OS2_PRIVATE_MAX, &elf, &reason) != OS2_OK)
        panic("init: `%s`, the first file of the boot archive: %s", file->name, reason);
    for (unsigned i = 0; i < elf.count; i++)
        load_segment(space, file, &elf.segments[i]);
    for (unsigned i = 1; i <= STACK_PAGES; i++)
        add_page(space, STACK_TOP - i * OS2_PAGE_SIZE, OS2_PROT_READ | OS2_PROT_WRITE, NULL, 0, 0);
    return elf.entry;
}

static void adopt(void *context, uint32_t number) {
    check(block_adopt(context, number), "no memory to map the archive or the tree");
}

/* Hand a range of RAM to init, as the blocks it is made of. */
static void give_range(struct space *space, const struct boot_range *range) {
    uint32_t first = (uint32_t)(range->base >> OS2_PAGE_SHIFT);
    uint32_t end = (uint32_t)((range->base + range->size + OS2_PAGE_SIZE - 1) >> OS2_PAGE_SHIFT);
    heap_adopt(&machine.heap, first, end - first, space->slot, adopt, space);
}

void init_start(struct core *core, struct boot_info *info) {
    if (!info->archive.size)
        panic("no boot archive: give the kernel one as its initrd");
    struct cpio_file file;
    size_t at = 0;
    if (!cpio_next(arch_phys_to_virt(info->archive.base), info->archive.size, &at, &file))
        panic("the boot archive at %lx is not a newc cpio archive", info->archive.base);

    struct process_request request = {.quota = UINT32_MAX, .quantum = INIT_QUANTUM};
    memcpy(request.name, "init", 4);
    struct slot *slot;
    check(process_make(NULL, &request, &slot), "no memory");
    struct process *p = slot->process;
    uint64_t entry = load(&p->space, &file);
    give_range(&p->space, &info->archive);
    if (info->tree.size) /* a block of its own: see move_tree() */
        adopt(&p->space, (uint32_t)(info->tree.base >> OS2_PAGE_SHIFT));

    uint64_t page;
    check((enum os2_status)block_alloc(&p->space, 0, &page), "no page");
    struct os2_boot *boot = arch_phys_to_virt(page - OS2_EXCHANGE_BASE);
    boot->archive = OS2_EXCHANGE_BASE + info->archive.base;
    boot->archive_size = info->archive.size;
    boot->tree = info->tree.size ? OS2_EXCHANGE_BASE + info->tree.base : 0;
    boot->tree_size = info->tree.size;
    memcpy(boot->arguments, info->arguments, sizeof boot->arguments);
    /* What the magazines can hold is nobody's: see mm/magazine.c. */
    uint64_t kept = (uint64_t)machine.core_count * MAGAZINE_PAGES, left = heap_free_pages(&machine.heap);
    left += arch_boot_part().size >> OS2_PAGE_SHIFT; /* soon: loop_begin() */
    p->space.quota = p->space.charged + (left > kept ? left - kept : 0);

    handle_put(p->handles, handle_target(OS2_HANDLE_MACHINE, OS2_RIGHTS_ALL, 0, 0), 0);
    arch_context_init(&p->context, entry, STACK_TOP, 0, 0);
    arch_context_argument(p->reg, page);
    log_line("init: %u pages, quota %lu of %u", (unsigned)space_owned(&p->space), p->space.quota,
             machine.heap.ram_pages);
    turn_ready(core, slot);
}
