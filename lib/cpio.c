/* SPDX-License-Identifier: MIT */
/*
 * The boot archive: the reader. The format is in the header.
 */
#include "lib/cpio.h"

#include "lib/string.h"

/* Offsets in an entry's header. */
enum { HEADER_MAGIC = 0, HEADER_MODE = 14, HEADER_SIZE = 54, HEADER_NAME_SIZE = 94, HEADER_BYTES = 110 };

enum { MAGIC_BYTES = 6, NUMBER_DIGITS = 8, PADDING = 4 };

#define MODE_KIND 0170000u
#define MODE_REGULAR 0100000u

/* Eight hexadecimal digits; false if one of them is none. */
static bool read_number(const uint8_t *digits, uint32_t *ret) {
    uint32_t number = 0;

    for (int i = 0; i < NUMBER_DIGITS; i++) {
        uint8_t c = digits[i];

        if (c >= '0' && c <= '9')
            number = number << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            number = number << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *ret = number;
    return true;
}

/* A name as it is looked for: a file's place is said from the root of the archive. */
static const char *plain_name(const char *name) {
    if (name[0] == '.' && name[1] == '/')
        name += 2;
    while (name[0] == '/')
        name++;
    return name;
}

/* `at` rounded up to the padding, or `size` if the archive ends before that. */
static size_t pad(size_t at, size_t size) {
    size_t rest = at % PADDING;

    if (rest == 0)
        return at;
    return PADDING - rest < size - at ? at + PADDING - rest : size;
}

bool cpio_next(const void *archive, size_t size, size_t *at, struct cpio_file *ret) {
    const uint8_t *bytes = archive;

    while (*at <= size && size - *at >= HEADER_BYTES) {
        const uint8_t *header = bytes + *at;
        uint32_t mode, content_size, name_size;
        size_t name = *at + HEADER_BYTES;
        size_t content;

        /* 070702 has a checksum in its last field, which is otherwise the same and is not looked at. */
        if (memcmp(header + HEADER_MAGIC, "070701", MAGIC_BYTES) != 0 &&
            memcmp(header + HEADER_MAGIC, "070702", MAGIC_BYTES) != 0)
            return false;
        if (!read_number(header + HEADER_MODE, &mode) || !read_number(header + HEADER_SIZE, &content_size) ||
            !read_number(header + HEADER_NAME_SIZE, &name_size))
            return false;
        if (name_size == 0 || name_size > size - name || bytes[name + name_size - 1] != '\0')
            return false;
        content = pad(name + name_size, size);
        if (content_size > size - content)
            return false;
        if (strcmp((const char *)bytes + name, "TRAILER!!!") == 0)
            return false;

        *at = pad(content + content_size, size);
        if ((mode & MODE_KIND) == MODE_REGULAR) {
            ret->name = plain_name((const char *)bytes + name);
            ret->bytes = bytes + content;
            ret->size = content_size;
            return true;
        }
    }
    return false;
}

bool cpio_find(const void *archive, size_t size, const char *name, struct cpio_file *ret) {
    struct cpio_file file;
    size_t at = 0;
    bool found = false;

    while (cpio_next(archive, size, &at, &file)) {
        if (strcmp(file.name, name) == 0) {
            *ret = file;
            found = true;
        }
    }
    return found;
}
