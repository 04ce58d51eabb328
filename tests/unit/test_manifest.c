/* SPDX-License-Identifier: MIT */
/*
 * Manifests of programs (usr/shell/manifest.c): what a line says, and that nothing that a file may hold does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os2/abi.h"
#include "shell/manifest.h"

/* A copy of just that size, so that the sanitizer sees who reads on. */
static struct manifest open_manifest(const char *text, size_t size) {
    struct manifest manifest = {.text = malloc(size), .size = size};
    memcpy(manifest.text, text, size);
    return manifest;
}

static void check_program(struct manifest *manifest, unsigned line, const char *name, const char *arguments,
                          const char *summary, unsigned rights) {
    struct manifest_program program;
    const char *reason = NULL;

    assert_int_equal(manifest_next(manifest, &program, &reason), MANIFEST_PROGRAM);
    assert_int_equal(manifest->line, line);
    assert_string_equal(program.name, name);
    assert_string_equal(program.arguments, arguments);
    assert_string_equal(program.summary, summary);
    assert_int_equal(program.rights, rights);
}

static void programs(void **state) {
    static const char text[] = "# what is here\n"
                               "\n"
                               "cat; [FILE...]; print files, or the input\n"
                               "  ps ;;  list: them  ; observe \n"
                               "ü; a b | c; s\n";
    struct manifest manifest = open_manifest(text, sizeof(text) - 1);
    struct manifest_program program;
    const char *reason;

    (void)state;
    check_program(&manifest, 3, "cat", "[FILE...]", "print files, or the input", 0);
    check_program(&manifest, 4, "ps", "", "list: them", OS2_RIGHT_OBSERVE);
    check_program(&manifest, 5, "ü", "a b | c", "s", 0);
    assert_int_equal(manifest_next(&manifest, &program, &reason), MANIFEST_END);
    assert_int_equal(manifest_next(&manifest, &program, &reason), MANIFEST_END);
    free(manifest.text);
}

/* Each is refused with a reason, and the line behind it is read. */
static void malformed(void **state) {
    static const char *const lines[] = {
        "cat",           "cat; ",        "cat; [FILE...]",     "; ; a summary", "cat; ;",
        "cat; ; a; ",    "cat; ; a; b",  "cat; ; a; observe;", "cat; ; a; all", ";;;;;;;;;;;;;;;;",
        "cat; ;\t a; ",  "cat; ; a\r",   "cat; ; \033[2J",     "cat; ; a\177",  " ",
        "cat; ; a; OBS", "   ;   ;   ;",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[80];
        struct manifest_program program = {.name = "untouched"};
        const char *reason = NULL;
        struct manifest manifest;

        strcat(strcpy(text, lines[i]), "\nls; ; list\n");
        manifest = open_manifest(text, strlen(text));
        assert_int_equal(manifest_next(&manifest, &program, &reason), MANIFEST_ERROR);
        assert_non_null(reason);
        assert_string_equal(program.name, "untouched");
        check_program(&manifest, 2, "ls", "", "list", 0);
        free(manifest.text);
    }
}

/* A text without an end is none; bytes of 0 are not text. */
static void no_text(void **state) {
    static const struct {
        const char *text;
        size_t size;
    } texts[] = {{"ls; ; list", 10}, {"#", 1}, {"l\0; ; list\n", 11}, {"\0", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct manifest manifest = open_manifest(texts[i].text, texts[i].size);
        struct manifest_program program;
        const char *reason = NULL;

        assert_int_equal(manifest_next(&manifest, &program, &reason), MANIFEST_ERROR);
        assert_non_null(reason);
        assert_int_equal(manifest_next(&manifest, &program, &reason), MANIFEST_END);
        free(manifest.text);
    }
}

/* Whatever bytes there are, each line gives one result at most, and all strings end in the text. */
static void random_bytes(void **state) {
    static const char bytes[] = ";;;\n\n #observe a\0\177";

    (void)state;
    srand(1);
    for (unsigned round = 0; round < 100000; round++) {
        char text[64];
        size_t size = 1 + (size_t)rand() % sizeof(text);
        struct manifest_program program;
        struct manifest manifest;
        const char *reason;
        unsigned line = 0;

        for (size_t i = 0; i < size; i++)
            text[i] = bytes[(size_t)rand() % sizeof(bytes)];
        manifest = open_manifest(text, size);
        for (enum manifest_result result; (result = manifest_next(&manifest, &program, &reason)) != MANIFEST_END;) {
            assert_true(manifest.line > line);
            line = manifest.line;
            if (result == MANIFEST_PROGRAM)
                assert_true(program.summary + strlen(program.summary) < manifest.text + size);
        }
        assert_true(line <= size);
        free(manifest.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs),
        cmocka_unit_test(malformed),
        cmocka_unit_test(no_text),
        cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
