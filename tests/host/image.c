/* SPDX-License-Identifier: MIT */
/* The boot archive of a simulated machine: newc cpio with one static ELF64 program. The program is never executed. */
#include <stdio.h>
#include <string.h>

#include "tests/host/host.h"

struct elf {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    struct {
        uint32_t type, flags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
    } segment[2];
    uint8_t content[0x300];
};

static size_t pad(uint8_t *to, size_t at) {
    while (at % 4)
        to[at++] = 0;
    return at;
}

static size_t entry(uint8_t *to, size_t at, const char *name, const void *bytes, size_t size) {
    size_t name_size = strlen(name) + 1;
    at += (size_t)sprintf((char *)to + at, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u, 0100755u,
                          0u, 0u, 1u, 0u, (unsigned)size, 0u, 0u, 0u, 0u, (unsigned)name_size, 0u);
    memcpy(to + at, name, name_size);
    at = pad(to, at + name_size);
    if (size)
        memcpy(to + at, bytes, size);
    return pad(to, at + size);
}

size_t host_image(uint8_t *to, size_t room) {
    struct elf elf = {
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = 2,
        .machine = OS2_ELF_MACHINE,
        .entry = HOST_INIT_ENTRY,
        .phoff = offsetof(struct elf, segment),
        .phentsize = sizeof elf.segment[0],
        .phnum = 2,
        .segment = {{.type = 1, .flags = 5, .vaddr = 0x10000, .filesz = sizeof elf, .memsz = sizeof elf},
                    {.type = 1, .flags = 6, .vaddr = 0x11ff0, .filesz = 0x20, .memsz = 0x1800}},
    };
    elf.segment[1].offset = offsetof(struct elf, content);
    memset(elf.content, 0x5a, sizeof elf.content);
    if (room < sizeof elf + 512)
        return 0;
    size_t at = entry(to, 0, "init", &elf, sizeof elf);
    return entry(to, at, "TRAILER!!!", NULL, 0);
}
