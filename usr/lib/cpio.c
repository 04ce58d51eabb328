/* SPDX-License-Identifier: MIT */
/*
 * Reading a newc cpio archive (os2/cpio.h).
 *
 * An entry is a header of 110 characters (a magic and 13 numbers of 8 hexadecimal digits), the name with its zero, and
 * the bytes; name and bytes are each padded to a multiple of four from the archive's start. Sizes are 32-bit, so sums
 * of an offset and a size cannot overflow 64 bits.
 */
#include "os2/cpio.h"

#include "os2/string.h"

#define CPIO_HEADER 110u
#define CPIO_MODE 14u /* offsets of the fields used */
#define CPIO_FILE_SIZE 54u
#define CPIO_NAME_SIZE 94u
#define CPIO_TYPE_MASK 0170000u
#define CPIO_TYPE_REGULAR 0100000u

static bool cpio_field(const uint8_t *digits, uint32_t *ret_value) {
    uint32_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = digits[i];
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
    }
    *ret_value = value;
    return true;
}

static uint64_t cpio_align(uint64_t offset) {
    return (offset + 3) & ~UINT64_C(3);
}

bool os2_cpio_next(const void *archive, size_t size, size_t *offset, struct os2_cpio_file *ret_file) {
    const uint8_t *bytes = archive, *header;
    uint32_t mode, file_size, name_size;
    uint64_t at = *offset, data, next;
    const char *name;

    if (at > size || size - at < CPIO_HEADER)
        return false;
    header = bytes + at;
    if (memcmp(header, "070701", 6) != 0 || !cpio_field(header + CPIO_MODE, &mode) ||
        !cpio_field(header + CPIO_FILE_SIZE, &file_size) || !cpio_field(header + CPIO_NAME_SIZE, &name_size))
        return false;
    data = cpio_align(at + CPIO_HEADER + name_size);
    next = cpio_align(data + file_size);
    if (name_size == 0 || at + CPIO_HEADER + name_size > size || data > size || file_size > size - data)
        return false;
    name = (const char *)header + CPIO_HEADER;
    if (name[name_size - 1] != 0 || strcmp(name, "TRAILER!!!") == 0)
        return false;
    if (name[0] == '.' && name[1] == '/')
        name += 2;
    while (name[0] == '/')
        name++;
    *ret_file = (struct os2_cpio_file){.name = name, .bytes = bytes + data, .size = file_size, .mode = mode};
    *offset = next < size ? (size_t)next : size;
    return true;
}

bool os2_cpio_regular(const struct os2_cpio_file *file) {
    return (file->mode & CPIO_TYPE_MASK) == CPIO_TYPE_REGULAR;
}

bool os2_cpio_find(const void *archive, size_t size, const char *name, struct os2_cpio_file *ret_file) {
    struct os2_cpio_file file;
    size_t offset = 0;
    bool found = false;

    while (os2_cpio_next(archive, size, &offset, &file)) {
        if (os2_cpio_regular(&file) && strcmp(file.name, name) == 0) {
            *ret_file = file;
            found = true;
        }
    }
    return found;
}
