/* SPDX-License-Identifier: MIT */
/*
 * Reading a program file: ELF64, little-endian, static, its segments in [low, high). The kernel reads init's so, and
 * each parent its child's. Pure: bytes in, a plan out. The bytes may be anything; nothing outside them is read.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS 8

struct elf_segment {
    uint64_t address; /* of the first page, page-aligned */
    uint64_t pages;
    uint64_t lead;            /* bytes before the file's bytes in the first page; they are zero */
    size_t offset, file_size; /* the file's bytes; the rest of the pages is zero */
    unsigned protection;      /* OS2_PROT_... ; never write and execute */
};

struct elf {
    uint64_t entry;
    unsigned count;
    struct elf_segment segments[ELF_SEGMENTS]; /* in rising order of address, no page in two */
};

/*
 * Checks the file and fills *ret_elf. `machine` is the e_machine wanted; every segment must lie in [low, high), both
 * page-aligned. OS2_OK or OS2_E_INVALID; after the latter *ret_reason (may be null) says what is wrong, and *ret_elf
 * means nothing. Of the segments those up to `count` are filled.
 */
int elf_read(const void *file, size_t size, unsigned machine, uint64_t low, uint64_t high, struct elf *ret_elf,
             const char **ret_reason);

#endif
