/* SPDX-License-Identifier: MIT */
/* What a tab at the shell's prompt offers (usr/shell/complete.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shell/complete.h"

static char shown[512];
static char asked_folder[64];

static void commands(complete_take_function *take, void *taker) {
    take(taker, "cat");
    take(taker, "cd");
    take(taker, "ls");
}

static void variable_names(complete_take_function *take, void *taker) {
    take(taker, "HOME");
    take(taker, "HOUSE");
}

static void files(const char *folder, complete_take_function *take, void *taker) {
    snprintf(asked_folder, sizeof(asked_folder), "%s", folder);
    take(taker, "one.txt");
    take(taker, "on it's");
    take(taker, ".hidden");
    take(taker, "folder/");
}

/* What is offered at the end of the line: "FROM name name". */
static const char *offered(const char *line) {
    static const struct complete_names names = {commands, variable_names, files};
    static struct os2_completions completions;
    const char *name = completions.names;
    size_t used;

    completions.count = 0;
    completions.used = 0;
    asked_folder[0] = 0;
    complete_line(&names, line, strlen(line), &completions);
    used = (size_t)snprintf(shown, sizeof(shown), "%zu", completions.from);
    for (unsigned i = 0; i < completions.count; i++, name += strlen(name) + 1) {
        used += (size_t)snprintf(shown + used, sizeof(shown) - used, " %s", name);
        assert_true(used < sizeof(shown));
    }
    return shown;
}

static void completion(void **state) {
    static const struct {
        const char *line, *offered, *folder;
    } rows[] = {
        {"", "0 cat cd ls", ""},
        {"c", "0 cat cd", ""},
        {"ls | c", "5 cat cd", ""},
        {"true && c", "8 cat cd", ""},
        {"if c", "3 cat cd", ""},
        {"while ! c", "8 cat cd", ""},
        {"for c", "4", ""},
        {"echo then c", "10", ""},
        {"cat ", "4 one.txt on\\ it\\'s folder/", ""},
        {"cat o", "4 one.txt on\\ it\\'s", ""},
        {"cat .", "4 .hidden", ""},
        {"cat on\\ ", "4 on\\ it\\'s", ""},
        {"cat /a\\ b/c/f", "12 folder/", "/a b/c/"},
        {"./o", "2 one.txt on\\ it\\'s", "./"},
        {"cat > o", "6 one.txt on\\ it\\'s", ""},
        {"cat <o", "5 one.txt on\\ it\\'s", ""},
        {"cat > x; c", "9 cat cd", ""},
        {"> c", "2", ""},
        {"cat 'o", "4", ""},
        {"cat 'x/o", "7", ""},
        {"cat 'a b' f", "10 folder/", ""},
        {"echo $HO", "6 HOME HOUSE", ""},
        {"cat $HO/o", "8 one.txt on\\ it\\'s", "$HO/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(offered(rows[i].line), rows[i].offered);
        assert_string_equal(asked_folder, rows[i].folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(completion)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
