/* SPDX-License-Identifier: MIT */
/*
 * Reading a program file (os2/elf.h).
 *
 * Every field is copied out of the bytes before it is looked at, because the file may be unaligned and may be rubbish;
 * each sum is checked before it is made. What is accepted: a static ET_EXEC for the wanted machine whose loadable
 * segments lie in the window, do not share a page, and are never writable and executable; the entry is in an executable
 * one. Other program headers (notes, RISC-V attributes, GNU_STACK) mean nothing here; a file that asks for an
 * interpreter, dynamic linking or thread-local storage cannot work and is refused.
 */
#include "os2/elf.h"

#include <stdbool.h>

#include "os2/abi.h"
#include "os2/string.h"

#define ELF_HEADER_SIZE 64u
#define ELF_PROGRAM_SIZE 56u
#define ELF_PROGRAM_MAX 32u

enum { ELF_TYPE_EXEC = 2 };
enum { ELF_LOAD = 1, ELF_DYNAMIC = 2, ELF_INTERPRETER = 3, ELF_TLS = 7 };
enum { ELF_EXECUTE = 1, ELF_WRITE = 2, ELF_READ = 4 };

/* 2, 4 or 8 bytes. */
static inline uint64_t elf_field(const uint8_t *bytes, unsigned size) {
    uint64_t value = bytes[0] | (uint64_t)bytes[1] << 8;
    if (size > 2)
        value |= (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24;
    if (size > 4)
        value |= elf_field(bytes + 4, 4) << 32;
    return value;
}

static int elf_refuse(const char **ret_reason, const char *reason) {
    if (ret_reason)
        *ret_reason = reason;
    return OS2_E_INVALID;
}

/* Reads one program header of type LOAD. */
static const char *elf_segment(const uint8_t *header, size_t size, uint64_t low, uint64_t high,
                               struct os2_elf_segment *segment) {
    uint64_t flags = elf_field(header + 4, 4);
    uint64_t offset = elf_field(header + 8, 8);
    uint64_t address = elf_field(header + 16, 8);
    uint64_t file_size = elf_field(header + 32, 8);
    uint64_t memory_size = elf_field(header + 40, 8);
    uint64_t end;

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

int os2_elf_read(const void *file, size_t size, unsigned machine, uint64_t low, uint64_t high, struct os2_elf *ret_elf,
                 const char **ret_reason) {
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2 /* 64-bit */, 1 /* little-endian */, 1 /* version */};
    const uint8_t *bytes = file;
    struct os2_elf elf = {0};
    uint64_t table, count;
    bool entry_good = false;

    if (size < ELF_HEADER_SIZE || memcmp(bytes, ident, sizeof(ident)) != 0)
        return elf_refuse(ret_reason, "not an ELF64 file");
    if (elf_field(bytes + 16, 2) != ELF_TYPE_EXEC)
        return elf_refuse(ret_reason, "not a static program");
    if (elf_field(bytes + 18, 2) != machine)
        return elf_refuse(ret_reason, "made for another processor");
    if (elf_field(bytes + 54, 2) != ELF_PROGRAM_SIZE)
        return elf_refuse(ret_reason, "unknown size of program headers");
    elf.entry = elf_field(bytes + 24, 8);
    table = elf_field(bytes + 32, 8);
    count = elf_field(bytes + 56, 2);
    if (count > ELF_PROGRAM_MAX || table > size || count * ELF_PROGRAM_SIZE > size - table)
        return elf_refuse(ret_reason, "program headers reach past the end of the file");

    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *header = bytes + table + i * ELF_PROGRAM_SIZE;
        uint64_t type = elf_field(header, 4);
        struct os2_elf_segment *segment = &elf.segments[elf.count];
        const char *wrong;

        if (type == ELF_DYNAMIC || type == ELF_INTERPRETER || type == ELF_TLS)
            return elf_refuse(ret_reason, "not a static program");
        if (type != ELF_LOAD || elf_field(header + 40, 8) == 0)
            continue;
        if (elf.count == OS2_ELF_SEGMENTS)
            return elf_refuse(ret_reason, "too many segments");
        wrong = elf_segment(header, size, low, high, segment);
        if (wrong)
            return elf_refuse(ret_reason, wrong);
        if (elf.count > 0) {
            const struct os2_elf_segment *before = segment - 1;
            if (segment->address < before->address + (before->pages << OS2_PAGE_SHIFT))
                return elf_refuse(ret_reason, "two segments share a page, or are out of order");
        }
        if ((segment->protection & OS2_PROT_EXEC) && elf.entry >= segment->address + segment->lead &&
            elf.entry - segment->address - segment->lead < segment->file_size)
            entry_good = true;
        elf.count++;
    }
    if (!entry_good)
        return elf_refuse(ret_reason, "the entry is not in the program's code");
    *ret_elf = elf;
    return OS2_OK;
}
