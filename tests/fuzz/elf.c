/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a program file, for the reader and for the kernel's loader of init.
 *
 * Of the first, the plan must keep what lib/elf.h promises, whatever the file. The second is the text of sys/init.c
 * down to what follows load(), on an address space that is played here: each page that it gets is a heap block, so that
 * a byte written beside the page or read beside the file is seen. What it refuses, it refuses by a panic.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cpio.h"
#include "lib/elf.h"
#include "os2/abi.h"
#include "os2/spawn.h"
#include "tests/fuzz/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- What the kernel's loader stands on. ---- */

#define PAGES_MOST 64 /* the machine has no more */

struct space {
    unsigned pages;
};

static jmp_buf refused;
static uint8_t *page[PAGES_MOST];

#define panic(...) longjmp(refused, 1)
#define arch_phys_to_virt(address) ((void *)(uintptr_t)(address))

static bool block_prot_valid(unsigned prot) {
    return (prot & OS2_PROT_READ) && (prot & (OS2_PROT_WRITE | OS2_PROT_EXEC)) != (OS2_PROT_WRITE | OS2_PROT_EXEC);
}

static int block_alloc(struct space *space, unsigned order, uint64_t *ret_va) {
    if (space->pages == PAGES_MOST)
        return OS2_E_MEMORY;
    uint8_t *fresh = calloc(1, OS2_PAGE_SIZE << order);
    if (fresh == NULL)
        abort();
    page[space->pages++] = fresh;
    *ret_va = (uintptr_t)fresh + OS2_EXCHANGE_BASE;
    return OS2_OK;
}

static enum os2_status block_place(struct space *space, uint64_t block, uint64_t va, unsigned prot, uint64_t *ret_va) {
    if (block != (uintptr_t)page[space->pages - 1] + OS2_EXCHANGE_BASE || va % OS2_PAGE_SIZE || !block_prot_valid(prot))
        abort();
    if (va < OS2_PRIVATE_MIN || va >= OS2_PRIVATE_MAX)
        return OS2_E_INVALID;
    *ret_va = va;
    return OS2_OK;
}

#include "init_load.inc"

static void load_init(const uint8_t *bytes, size_t size) {
    struct cpio_file file = {.name = "init", .bytes = bytes, .size = size};
    static struct space space;

    space.pages = 0;
    if (setjmp(refused) == 0)
        load(&space, &file);
    while (space.pages)
        free(page[--space.pages]);
}

/* ---- What a program makes of it. ---- */

static void check_segment(const struct elf_segment *s, size_t size, uint64_t *end) {
    uint64_t bytes = s->pages << OS2_PAGE_SHIFT;

    if (s->address % OS2_PAGE_SIZE || s->address < *end || s->pages == 0 || bytes > OS2_LARGE_END - s->address)
        abort();
    if (s->lead >= OS2_PAGE_SIZE || s->file_size > bytes - s->lead)
        abort();
    if (s->offset > size || s->file_size > size - s->offset || !block_prot_valid(s->protection))
        abort();
    *end = s->address + bytes;
}

static void read_program(const uint8_t *bytes, size_t size) {
    unsigned machine = size > 19 ? bytes[18] | (unsigned)bytes[19] << 8 : 0; /* its own: one number more or less */
    struct elf elf;
    const char *reason = NULL;
    uint64_t end = OS2_PROGRAM_BASE;
    bool entry = false;

    if (elf_read(bytes, size, machine, OS2_PROGRAM_BASE, OS2_LARGE_END, &elf, &reason) != OS2_OK) {
        if (reason == NULL)
            abort();
        return;
    }
    if (elf.count == 0 || elf.count > ELF_SEGMENTS)
        abort();
    for (unsigned i = 0; i < elf.count; i++) {
        const struct elf_segment *s = &elf.segments[i];

        check_segment(s, size, &end);
        entry |= (s->protection & OS2_PROT_EXEC) && elf.entry >= s->address + s->lead &&
                 elf.entry < s->address + s->lead + s->file_size;
    }
    if (!entry)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *block = block_of(data, size);

    read_program(block + 1, size);
    load_init(block + 1, size);
    free(block);
    return 0;
}
