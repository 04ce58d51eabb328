/* SPDX-License-Identifier: MIT */
/*
 * Reading a program file.
 *
 * A header that is not aligned is copied before it is looked at. The file may be rubbish: each sum is checked before it
 * is made. The machine is little-endian, as the file must be. What is accepted: a static ET_EXEC for the wanted machine
 * whose loadable segments lie in the window, do not share a page, and are never writable and executable; the entry is
 * in an executable one. Other program headers (notes, RISC-V attributes, GNU_STACK) mean nothing here; a file that asks
 * for an interpreter, dynamic linking or thread-local storage cannot work and is refused.
 */
#include "lib/elf.h"

#include <stdbool.h>

#include "lib/string.h"
#include "os2/abi.h"

#define ELF_PROGRAM_MAX 32u

enum { ELF_TYPE_EXEC = 2 };
enum { ELF_LOAD = 1, ELF_DYNAMIC = 2, ELF_INTERPRETER = 3, ELF_TLS = 7 };
enum { ELF_EXECUTE = 1, ELF_WRITE = 2, ELF_READ = 4 };

struct __attribute__((may_alias)) elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, programs, sections;
    uint32_t flags;
    uint16_t size, program_size, program_count;
    uint16_t section[3];
};
_Static_assert(sizeof(struct elf_header) == 64, "as the file has it");

struct __attribute__((may_alias)) elf_program {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, align;
};
_Static_assert(sizeof(struct elf_program) == 56, "as the file has it");

/* The header in these bytes, or the copy if they are not aligned. */
static const void *elf_aligned(const uint8_t *bytes, void *copy, size_t size) {
    if (((uintptr_t)bytes & 7) == 0)
        return bytes;
    return memcpy(copy, bytes, size);
}

/* Reads one program header of type LOAD. */
static const char *elf_segment(const struct elf_program *program, size_t size, uint64_t low, uint64_t high,
                               struct elf_segment *segment) {
    uint32_t flags = program->flags;
    uint64_t offset = program->offset, address = program->address;
    uint64_t file_size = program->file_size, memory_size = program->memory_size, end;

    if (offset > size || file_size > size - offset)
        return "a segment reaches past the end of the file";
    if (file_size > memory_size)
        return "a segment has more bytes than memory";
    if (address < low || address >= high || memory_size > high - address)
        return "a segment lies outside the program's region";
    if ((flags & ELF_WRITE) && (flags & ELF_EXECUTE))
        return "a segment is writable and executable";
    if (!(flags & ELF_READ))
        return "a segment is not readable";
    end = (address + memory_size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1);
    segment->address = address & ~(OS2_PAGE_SIZE - 1);
    segment->pages = (end - segment->address) >> OS2_PAGE_SHIFT;
    segment->lead = address - segment->address;
    segment->offset = (size_t)offset;
    segment->file_size = (size_t)file_size;
    segment->protection = OS2_PROT_READ;
    if (flags & ELF_WRITE)
        segment->protection |= OS2_PROT_WRITE;
    if (flags & ELF_EXECUTE)
        segment->protection |= OS2_PROT_EXEC;
    return NULL;
}

/* Reads the file; what is wrong with it, or NULL. */
static const char *elf_file(const void *file, size_t size, unsigned machine, uint64_t low, uint64_t high,
                            struct elf *ret_elf) {
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2 /* 64-bit */, 1 /* little-endian */, 1 /* version */};
    const uint8_t *bytes = file;
    struct elf_segment *segment = ret_elf->segments;
    struct elf_header copy;
    const struct elf_header *header;
    bool entry_good = false;

    if (size < sizeof(copy))
        return "not an ELF64 file";
    header = elf_aligned(bytes, &copy, sizeof(copy));
    if (memcmp(header->ident, ident, sizeof(ident)) != 0)
        return "not an ELF64 file";
    if (header->type != ELF_TYPE_EXEC)
        return "not a static program";
    if (header->machine != machine)
        return "made for another processor";
    if (header->program_size != sizeof(struct elf_program))
        return "unknown size of program headers";
    if (header->program_count > ELF_PROGRAM_MAX || header->programs > size ||
        header->program_count * sizeof(struct elf_program) > size - header->programs)
        return "program headers reach past the end of the file";

    for (unsigned i = 0; i < header->program_count; i++) {
        struct elf_program program_copy;
        const struct elf_program *program =
            elf_aligned(bytes + header->programs + i * sizeof(program_copy), &program_copy, sizeof(program_copy));
        const char *wrong;

        if (program->type == ELF_DYNAMIC || program->type == ELF_INTERPRETER || program->type == ELF_TLS)
            return "not a static program";
        if (program->type != ELF_LOAD || program->memory_size == 0)
            continue;
        if (segment == ret_elf->segments + ELF_SEGMENTS)
            return "too many segments";
        wrong = elf_segment(program, size, low, high, segment);
        if (wrong)
            return wrong;
        if (segment != ret_elf->segments) {
            const struct elf_segment *before = segment - 1;
            if (segment->address < before->address + (before->pages << OS2_PAGE_SHIFT))
                return "two segments share a page, or are out of order";
        }
        if ((segment->protection & OS2_PROT_EXEC) && header->entry >= segment->address + segment->lead &&
            header->entry - segment->address - segment->lead < segment->file_size)
            entry_good = true;
        segment++;
    }
    if (!entry_good)
        return "the entry is not in the program's code";
    ret_elf->entry = header->entry;
    ret_elf->count = (unsigned)(segment - ret_elf->segments);
    return NULL;
}

int elf_read(const void *file, size_t size, unsigned machine, uint64_t low, uint64_t high, struct elf *ret_elf,
             const char **ret_reason) {
    const char *wrong = elf_file(file, size, machine, low, high, ret_elf);
    if (wrong && ret_reason)
        *ret_reason = wrong;
    return wrong ? OS2_E_INVALID : OS2_OK;
}
