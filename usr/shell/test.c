/* SPDX-License-Identifier: MIT */
/*
 * The command `test` (shell/test.h). How many words there are decides what they mean, as POSIX has it, so that a string
 * that looks like an operator is still a string where only one can stand.
 */
#include "shell/test.h"

#include "os2/string.h"

#define TEST_WRONG 2u

struct test {
    const char *const *word;
    unsigned words;
    test_look_function *look;
    const char *reason;
};

static bool is(const char *word, const char *wanted) {
    return strcmp(word, wanted) == 0;
}

/* A number, and its sign. False: it is none, or over 63 bits. */
static bool read_number(const char *text, int64_t *ret_number) {
    bool negative = *text == '-';
    uint64_t number;

    if (!os2_string_number(text + negative, &number) || number > INT64_MAX)
        return false;
    *ret_number = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool test_numbers(struct test *t, const char *how) {
    int64_t a, b;

    if (!read_number(t->word[0], &a) || !read_number(t->word[2], &b)) {
        t->reason = "not a number";
        return false;
    }
    if (is(how, "-eq") || is(how, "-ne"))
        return (a == b) == is(how, "-eq");
    if (is(how, "-lt") || is(how, "-ge"))
        return (a < b) == is(how, "-lt");
    return (a > b) == is(how, "-gt");
}

static bool is_number_operator(const char *word) {
    return is(word, "-eq") || is(word, "-ne") || is(word, "-lt") || is(word, "-le") || is(word, "-gt") ||
           is(word, "-ge");
}

static bool is_binary(const char *word) {
    return is(word, "=") || is(word, "!=") || is_number_operator(word);
}

static bool test_two(struct test *t) {
    const char *how = t->word[0], *word = t->word[1];
    enum test_kind kind;
    uint64_t size = 0;

    if (is(how, "-n") || is(how, "-z"))
        return (*word != 0) == is(how, "-n");
    if (!is(how, "-e") && !is(how, "-f") && !is(how, "-d") && !is(how, "-s")) {
        t->reason = "no such operator; `help test` lists them";
        return false;
    }
    kind = t->look(word, &size);
    if (is(how, "-e"))
        return kind != TEST_NOTHING;
    return kind == (is(how, "-d") ? TEST_FOLDER : TEST_FILE) && (!is(how, "-s") || size > 0);
}

/* What the words mean without a `!` before them. */
static bool test_plain(struct test *t) {
    if (t->words == 0)
        return false;
    if (t->words == 1)
        return *t->word[0] != 0;
    if (t->words == 2)
        return test_two(t);
    if (t->words == 3 && is_number_operator(t->word[1]))
        return test_numbers(t, t->word[1]);
    if (t->words == 3 && is_binary(t->word[1]))
        return is(t->word[0], t->word[2]) == is(t->word[1], "=");
    t->reason = t->words == 3 ? "no such operator; `help test` lists them" : "too many words";
    return false;
}

static bool test_all(struct test *t) {
    bool inverted = false;

    while (t->words > 1 && is(t->word[0], "!") && !(t->words == 3 && is_binary(t->word[1]))) {
        inverted = !inverted;
        t->word++;
        t->words--;
    }
    return test_plain(t) != inverted;
}

unsigned test_run(unsigned argc, const char *const *argv, test_look_function *look, const char **ret_reason) {
    struct test t = {.word = argv + 1, .words = argc - 1, .look = look};
    bool result;

    if (is(argv[0], "[")) {
        if (argc < 2 || !is(argv[argc - 1], "]")) {
            *ret_reason = "no ] at the end";
            return TEST_WRONG;
        }
        t.words--;
    }
    result = test_all(&t);
    *ret_reason = t.reason;
    return t.reason ? TEST_WRONG : !result;
}
