/* SPDX-License-Identifier: MIT */
/*
 * lib/cpio.c: archives written here by hand, then the same with every byte cut off. Damage of other kinds is
 * tests/fuzz/cpio.c's. Each archive is in a heap block of exactly its size, so that ASan sees a read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cpio.h"

enum { ARCHIVE_MAX = 4096 };

struct archive {
    uint8_t bytes[ARCHIVE_MAX];
    size_t size;
};

static void archive_pad(struct archive *a) {
    while (a->size % 4 != 0)
        a->bytes[a->size++] = 0;
}

static void archive_add(struct archive *a, const char *magic, unsigned mode, const char *name, const char *content) {
    a->size += (size_t)sprintf((char *)a->bytes + a->size, "%s%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
                               magic, 1u, mode, 0u, 0u, 1u, 0u, (unsigned)strlen(content), 0u, 0u, 0u, 0u,
                               (unsigned)strlen(name) + 1, 0u);
    memcpy(a->bytes + a->size, name, strlen(name) + 1);
    a->size += strlen(name) + 1;
    archive_pad(a);
    memcpy(a->bytes + a->size, content, strlen(content));
    a->size += strlen(content);
    archive_pad(a);
}

static void archive_make(struct archive *a) {
    a->size = 0;
    archive_add(a, "070701", 0040755, "bin", "");
    archive_add(a, "070701", 0100755, "init", "first");
    archive_add(a, "070702", 0100644, "bin/empty", "");
    archive_add(a, "070701", 0120777, "bin/link", "init");
    archive_add(a, "070701", 0100644, "./bin/shell", "shell's content");
    archive_add(a, "070701", 0, "TRAILER!!!", "");
}

/* Reads all, touching every byte of name and content; returns how many files there were. */
static int read_all(const uint8_t *bytes, size_t size, struct cpio_file *files, int max) {
    size_t at = 0;
    struct cpio_file file;
    int count = 0;
    volatile unsigned sum = 0;

    while (cpio_next(bytes, size, &at, &file)) {
        assert_true(at <= size);
        sum += (unsigned)strlen(file.name);
        for (size_t i = 0; i < file.size; i++)
            sum += file.bytes[i];
        if (count < max)
            files[count] = file;
        count++;
    }
    return count;
}

static void test_files(void **state) {
    struct archive a;
    struct cpio_file files[3];

    (void)state;
    archive_make(&a);
    assert_int_equal(read_all(a.bytes, a.size, files, 3), 3);
    assert_string_equal(files[0].name, "init");
    assert_int_equal(files[0].size, 5);
    assert_memory_equal(files[0].bytes, "first", 5);
    assert_string_equal(files[1].name, "bin/empty");
    assert_int_equal(files[1].size, 0);
    assert_string_equal(files[2].name, "bin/shell");
    assert_memory_equal(files[2].bytes, "shell's content", 15);
}

/* A file by its name: of two the later one, as an unpacker would leave it. */
static void test_find(void **state) {
    struct archive a = {.size = 0};
    struct cpio_file file;

    (void)state;
    archive_add(&a, "070701", 0100644, "a", "first");
    archive_add(&a, "070701", 0040755, "b", "");
    archive_add(&a, "070701", 0100644, "/a", "second");
    archive_add(&a, "070701", 0, "TRAILER!!!", "");
    assert_true(cpio_find(a.bytes, a.size, "a", &file));
    assert_int_equal(file.size, 6);
    assert_memory_equal(file.bytes, "second", 6);
    assert_false(cpio_find(a.bytes, a.size, "b", &file)); /* a folder */
    assert_false(cpio_find(a.bytes, a.size, "c", &file));
}

static void test_nothing(void **state) {
    struct archive a = {.size = 0};

    (void)state;
    assert_int_equal(read_all(a.bytes, 0, NULL, 0), 0);
    archive_add(&a, "070701", 0, "TRAILER!!!", "");
    assert_int_equal(read_all(a.bytes, a.size, NULL, 0), 0);
    memset(a.bytes, '0', sizeof(a.bytes));
    assert_int_equal(read_all(a.bytes, sizeof(a.bytes), NULL, 0), 0);
}

/* Headers that lie: sizes beyond the archive, names without an end, other formats. */
static void test_malformed(void **state) {
    static const struct {
        size_t at;
        const char *bytes;
    } damage[] = {
        {0, "070707"},    {54, "ffffffff"}, {54, "00001000"}, {54, "0000000g"},
        {94, "ffffffff"}, {94, "00000000"}, {94, "00000004"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        struct archive a = {.size = 0};

        archive_add(&a, "070701", 0100755, "init", "first");
        memcpy(a.bytes + damage[i].at, damage[i].bytes, strlen(damage[i].bytes));
        assert_int_equal(read_all(a.bytes, a.size, NULL, 0), 0);
    }
}

static void test_cut(void **state) {
    struct archive a;

    (void)state;
    archive_make(&a);
    for (size_t size = 0; size <= a.size; size++) {
        uint8_t *copy = malloc(size + 1);

        assert_non_null(copy);
        memcpy(copy + 1, a.bytes, size); /* misaligned too */
        assert_true(read_all(copy + 1, size, NULL, 0) <= 3);
        free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),     cmocka_unit_test(test_find), cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests_name("cpio", tests, NULL, NULL);
}
