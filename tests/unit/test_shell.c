/* SPDX-License-Identifier: MIT */
/*
 * The shell's language: what a text becomes (usr/shell/parse.c), what words become when a command runs (expand.c,
 * glob.c, variables.c), and `test` (test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shell/expand.h"
#include "shell/glob.h"
#include "shell/parse.h"
#include "shell/test.h"
#include "shell/variables.h"

/* ---- Trees, written as text. ---- */

static char shown[8192];
static struct parse_tree tree;

static void show(const char *text, size_t length) {
    size_t used = strlen(shown);
    assert_true(used + length < sizeof(shown));
    memcpy(shown + used, text, length);
    shown[used + length] = 0;
}

static void show_word(struct parse_word word, const char *before) {
    show(before, strlen(before));
    show(tree.text + word.at, word.size);
}

static void show_steps(unsigned place);

static void show_words(const struct parse_node *n) {
    for (unsigned i = 0; i < n->words; i++)
        show_word(tree.word[n->word + i], i ? " " : "");
}

static void show_node(unsigned place) {
    static const char *const names[] = {"none", "", "", "not", "and", "or", "if", "while", "until", "for"};
    const struct parse_node *n = &tree.node[place];

    assert_true(place > 0 && place < tree.nodes);
    show("(", n->kind > PARSE_PIPELINE);
    show(names[n->kind], strlen(names[n->kind]));
    if (n->kind == PARSE_COMMAND) {
        show_words(n);
        if (n->input.size)
            show_word(n->input, "<");
        if (n->output.size)
            show_word(n->output, n->append ? ">>" : ">");
    } else if (n->kind == PARSE_PIPELINE) {
        for (unsigned i = n->first; i; i = tree.node[i].next) {
            show("|", i != n->first);
            show_node(i);
        }
    } else {
        if (n->kind == PARSE_FOR) {
            show(" ", 1);
            show_words(n);
            show(" @", n->own ? 2 : 0);
        }
        for (unsigned i = 0; i < 3; i++) {
            unsigned part = i == 0 ? n->first : i == 1 ? n->second : n->third;
            if (part) {
                show(" ", 1);
                show_steps(part);
            }
        }
        show(")", 1);
    }
}

static void show_steps(unsigned place) {
    for (unsigned i = place; i; i = tree.node[i].next) {
        show_node(i);
        show("&", tree.node[i].background);
        show(";", tree.node[i].next != 0);
    }
}

/* All steps of the text, or the reason why not. */
static const char *parsed(const char *text) {
    char *copy = strdup(text); /* so that the sanitizer sees who reads on */
    const char *reason = NULL;
    enum parse_result result;
    size_t at = 0;

    shown[0] = 0;
    while ((result = parse_next(copy, &at, &tree, &reason)) == PARSE_STEP) {
        show("; ", *shown ? 2 : 0);
        show_node(tree.root);
        show("&", tree.node[tree.root].background);
    }
    if (result != PARSE_END) {
        shown[0] = 0;
        show(result == PARSE_MORE ? "more: " : "error: ", result == PARSE_MORE ? 6 : 7);
        show(reason, strlen(reason));
    }
    free(copy);
    return shown;
}

static const struct {
    const char *text, *tree;
} texts[] = {
    {"", ""},
    {"  # nothing\n;;\n # more", ""},
    {"a b  c", "a b c"},
    {"a; b & c", "a; b&; c"},
    {"a & ; b", "a&; b"},
    {"a | b|c", "a|b|c"},
    {"a |\n b", "a|b"},
    {"a && b || ! c", "(or (and a b) (not c))"},
    {"! ! a", "a"},
    {"a'b c'\"d \\\" e\"\\ f#g h # i", "a'b c'\"d \\\" e\"\\ f#g h"},
    {"a \\\n b", "a b"},
    {"a b<c d>>e f | g >h", "a b d f<c>>e|g>h"},
    {"> a", ">a"},
    {"a=b c", "a=b c"},
    {"if a; then b; fi", "(if a b)"},
    {"if a\nthen b\nelif c; d\nthen e; f & else g; fi; h", "(if a b (if c;d e;f& g)); h"},
    {"while a; do b; done && c", "(and (while a b) c)"},
    {"until a; do b; done", "(until a b)"},
    {"for x in a 'b c' *; do d $x; done", "(for x a 'b c' * d $x)"},
    {"for x\ndo d; done", "(for x @ d)"},
    {"for x in; do d; done", "(for x d)"},
    {"if a; then if b; then c; fi fi", "(if a (if b c))"},
    {"if if a; then b; fi; then c; fi", "(if (if a b) c)"},
    {"echo if then fi", "echo if then fi"},
    {"'if' a", "'if' a"},
    {"a\r\nb\r\n", "a; b"},
    {"if a; then b", "more: if: no fi"},
    {"if a; then b; else", "more: if: nothing behind else"},
    {"if a", "more: if: no then"},
    {"if", "more: if: no condition"},
    {"while a; do\n", "more: while: no done"},
    {"while a", "more: while: no do"},
    {"for", "more: for: no name"},
    {"for x in a b", "more: for: no do"},
    {"for x in a b; do if c; then d; fi", "more: for: no done"},
    {"a &&", "more: no command behind &&"},
    {"a ||\n", "more: no command behind ||"},
    {"a |", "more: no command beside |"},
    {"a 'b", "more: no closing '"},
    {"a \"b\\\"", "more: no closing \""},
    {"a \\", "more: nothing behind \\"},
    {"a >", "more: no file behind >"},
    {"!", "more: no command behind !"},
    {"| a", "error: no command beside |"},
    {"a || | b", "error: no command beside |"},
    {"a | ; b", "error: no command beside |"},
    {"&", "error: no command before &"},
    {"&& a", "error: no command before &&"},
    {"|| a", "error: no command before ||"},
    {"a && ; b", "error: no command behind &&"},
    {"fi", "error: fi: no if before it"},
    {"a; done", "error: done: no while, until or for before it"},
    {"then a", "error: then: no if before it"},
    {"if a; then b; done", "error: if: no fi"},
    {"if a; do b; fi", "error: if: no then"},
    {"if ; then b; fi", "error: if: no condition"},
    {"while a; do b; fi", "error: while: no done"},
    {"for 1 in a; do b; done", "error: for: not a name"},
    {"if a; then b; fi > c", "error: if, while, until and for cannot be redirected"},
    {"if a; then b; fi | c", "error: if, while, until and for cannot stand in a pipeline"},
    {"a | while b; do c; done", "error: if, while, until and for cannot stand in a pipeline"},
    {"while a; do b; done &", "error: only a pipeline can run in the background"},
    {"a && b &", "error: only a pipeline can run in the background"},
    {"fi x", "error: fi: no if before it"},
    {"if a; then b; fi c", "error: no ; behind fi or done"},
    {"a 2>b", "error: only input and output can be redirected: < > >>"},
    {"a <b <c", "error: two files for the input"},
    {"a >b >>c", "error: two files for the output"},
    {"a << b", "error: no file behind <"},
    {"a > ; b", "error: no file behind >"},
    {"f() a", "error: ( ) and ` must be quoted"},
    {"a `b`", "error: ( ) and ` must be quoted"},
    {"a \"`b`\"", "error: ` must be in single quotes"},
    {"case a in", "error: case: this shell has none"},
    {"{ a; }", "error: { as a command: this shell has none"},
    {"a|b|c|d|e|f|g|h|i", "error: too many commands in a pipeline"},
};

static void trees(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(parsed(texts[i].text), texts[i].tree);
}

/* Every start of every text ends in some way, and what is more than there is room for is refused. */
static void bounds(void **state) {
    static char text[40000];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t length = 0; length < strlen(texts[i].text); length++) {
            snprintf(text, sizeof(text), "%.*s", (int)length, texts[i].text);
            parsed(text);
        }
    }
    for (unsigned depth = 1; depth <= PARSE_DEPTH + 1; depth++) {
        text[0] = 0;
        for (unsigned i = 0; i < depth; i++)
            strcat(text, "if a; then ");
        strcat(text, "b; ");
        for (unsigned i = 0; i < depth; i++)
            strcat(text, "fi; ");
        parsed(text);
        if (depth <= PARSE_DEPTH)
            assert_memory_equal(shown, "(if a", 5);
        else
            assert_string_equal(shown, "error: too many commands within commands");
    }
    memset(text, 0, sizeof(text));
    for (unsigned i = 0; i < PARSE_WORDS; i++)
        strcat(text, "a ");
    assert_string_equal(parsed(text), "error: too many words");
    strcpy(text, "a");
    for (unsigned i = 0; i < PARSE_NODES / 3; i++)
        strcat(text, "&&a");
    assert_string_equal(parsed(text), "error: too many commands in one");
}

static void run_tokens(unsigned count);

/* Texts of any pieces of the language: each ends in some way, within its bounds. */
static void any_text(void **state) {
    (void)state;
    for (unsigned i = 0; i < 30000; i++)
        run_tokens(1 + i % 40);
}

/* ---- Words. ---- */

static struct variables variables;

static const char *variable(void *context, const char *name, size_t length) {
    assert_ptr_equal(context, &variables);
    return variables_get(&variables, name, length);
}

/* Folders: paths, of which those that end with '/' are folders. */
static const char *const disk[] = {"b.txt", "a.txt", ".hidden", "d/",     "d/x1",  "d/x2", "d/.y",
                                   "e/",    "e/x1",  "e/f/",    "e/f/x3", "ü.txt", "[q]"};

static void list(void *context, const char *folder, glob_take_function *take, void *taker) {
    size_t length = strlen(folder);

    (void)context;
    for (size_t i = 0; i < sizeof(disk) / sizeof(disk[0]); i++) {
        char name[32];
        const char *rest = disk[i] + length;
        if (strncmp(disk[i], folder, length) != 0 || !*rest)
            continue;
        snprintf(name, sizeof(name), "%s", rest);
        if (strchr(name, '/') && strchr(name, '/')[1])
            continue;
        if (strchr(name, '/'))
            *strchr(name, '/') = 0;
        take(taker, name);
    }
}

static bool exists(void *context, const char *path) {
    (void)context;
    for (size_t i = 0; i < sizeof(disk) / sizeof(disk[0]); i++)
        if (strcmp(disk[i], path) == 0)
            return true;
    return false;
}

static const char *const arguments[] = {"script", "one", "two words", "3"};
static const struct glob_folders folders = {NULL, list, exists};
static const struct expand_values values = {&variables, variable, 42, 4, arguments, &folders};
static struct expand_pipeline expanded_line;

/* The words of the first pipeline in brackets, or the reason why not. */
static const char *expanded(const char *text) {
    const char *reason = NULL;
    size_t at = 0;

    shown[0] = 0;
    assert_int_equal(parse_next(text, &at, &tree, &reason), PARSE_STEP);
    reason = expand_pipeline(&tree, tree.root, &values, &expanded_line);
    for (unsigned s = 0; s < expanded_line.stages && !reason; s++) {
        show("|", s > 0);
        for (unsigned i = 0; i < expanded_line.stage[s].argc; i++) {
            show("[", 1);
            show(expanded_line.stage[s].argv[i], strlen(expanded_line.stage[s].argv[i]));
            show("]", 1);
        }
        assert_null(expanded_line.stage[s].argv[expanded_line.stage[s].argc]);
        if (expanded_line.stage[s].input) {
            show("<", 1);
            show(expanded_line.stage[s].input, strlen(expanded_line.stage[s].input));
        }
        if (expanded_line.stage[s].output) {
            show(">>", expanded_line.stage[s].append ? 2 : 1);
            show(expanded_line.stage[s].output, strlen(expanded_line.stage[s].output));
        }
    }
    return reason ? reason : shown;
}

static void words(void **state) {
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"a 'b  c' \"d $? e\" f\\ g", "[a][b  c][d 42 e][f g]"},
        {"'$?' \"\\$? \\\\ \\x\" \\$?", "[$?][$? \\ \\x][$?]"},
        {"a\"\"b '' \"\"", "[ab][][]"},
        {"$A ${A}b \"$A\" $NONE \"$NONE\"", "[x][y][x][y][b][ x  y ][]"},
        {"$ a$ $. \"$\" $-", "[$][a$][$.][$][$-]"},
        {"$# $1 $2 \"$2\" $9 $0", "[3][one][two][words][two words][script]"},
        {"$@", "[one][two][words][3]"},
        {"\"$@\" \"<$@>\" \"$*\" '$@'", "[one][two words][3][<one][two words][3>][one two words 3][$@]"},
        {"*.txt", "[a.txt][b.txt][ü.txt]"},
        {"?.txt \"*\".txt \\*.txt *'.'txt", "[a.txt][b.txt][ü.txt][*.txt][*.txt][a.txt][b.txt][ü.txt]"},
        {"[b-z].txt [!a]* .*", "[b.txt][[q]][b.txt][d][e][ü.txt][.hidden]"},
        {"*/x* */*/x* d/* */x2 */no e/*/", "[d/x1][d/x2][e/x1][e/f/x3][d/x1][d/x2][d/x2][*/no][e/f/]"},
        {"no* '[q]' \\[* [ [a", "[no*][[q]][[q]][[][[a]"},
        {"$G \"$G\"", "[a.txt][b.txt][ü.txt][*.txt]"},
        {"a <$B >>\"$A\" b | c >*", "[a][b]<one >> x  y |[c]>*"},
        {"$B\"$B\"", "[one][one ]"},
        {"a$B", "[aone]"},
        {"$NONE a", "[a]"},
        {"${A", "${ }: only ${NAME}"},
        {"${A:-b}", "${ }: only ${NAME}"},
        {"\"$(a)\"", "$( ): this shell has none"},
        {"a >$NONE", "the name of a file to redirect to is empty"},
        {"[a\"-\"c].txt [a'-'c].txt", "[a.txt][a.txt]"},
        {"a\\\nb", "[ab]"},
    };

    (void)state;
    memset(&variables, 0, sizeof(variables));
    assert_true(variables_set(&variables, "A", 1, " x  y "));
    assert_true(variables_set(&variables, "B", 1, "one "));
    assert_true(variables_set(&variables, "G", 1, "*.txt"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(expanded(rows[i].text), rows[i].words);
}

static void run_tokens(unsigned count) {
    static const char *const tokens[] = {
        "if ", "then ", "elif ", "else ", "fi ", "while ", "until ", "do ", "done ", "for ", "in ", "a ", "b",  "| ",
        "|| ", "&& ",   "& ",    "; ",    "\n",  "< ",     ">",      ">>",  "'",     "\"",   "\\",  "$A", "${", "}",
        "$?",  "$@",    "( ",    "! ",    "#",   " ",      "*",      "[",   "]",     "A=",   "2>",  "`",
    };
    static uint32_t seed = 1;
    char text[512] = "", *copy;
    enum parse_result result;
    const char *reason = NULL;
    size_t at = 0, before;

    while (count--) {
        seed = seed * 1664525 + 1013904223;
        strcat(text, tokens[(seed >> 8) % (sizeof(tokens) / sizeof(tokens[0]))]);
    }
    copy = strdup(text);
    do {
        before = at;
        result = parse_next(copy, &at, &tree, &reason);
        if (result == PARSE_STEP) {
            assert_true(at > before && at <= strlen(copy));
            shown[0] = 0;
            show_node(tree.root);
            if (tree.node[tree.root].kind == PARSE_PIPELINE)
                expand_pipeline(&tree, tree.root, &values, &expanded_line);
        }
    } while (result == PARSE_STEP);
    assert_true(result == PARSE_END || reason);
    free(copy);
}

/* Lists of words that are longer than there is room for. */
static void many_words(void **state) {
    static char text[20000];
    char value[3000];

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = 0;
    assert_true(variables_set(&variables, "LONG", 4, value));
    assert_string_equal(expanded("$LONG $LONG $LONG $LONG $LONG $LONG"), "the words are too long");
    text[0] = 0;
    for (unsigned i = 0; i < EXPAND_WORDS; i++)
        strcat(text, "a ");
    assert_string_equal(expanded(text), "too many words");
}

static void matches(void **state) {
    static const struct {
        const char *pattern, *name;
        bool match;
    } rows[] = {
        {"", "", true},        {"a", "a", true},       {"a", "b", false},      {"*", "", true},
        {"*", "abc", true},    {"a*c", "abcbc", true}, {"a*c", "abcb", false}, {"*a*b*", "xaxbx", true},
        {"?", "ü", true},      {"??", "ü", false},     {"?", "", false},       {"[abc]", "b", true},
        {"[abc]", "d", false}, {"[!abc]", "d", true},  {"[a-c]x", "bx", true}, {"[]a]", "]", true},
        {"[a-]", "-", true},   {"[\\]]", "]", true},   {"[", "[", true},       {"[a", "[a", true},
        {"\\*", "*", true},    {"\\*", "a", false},    {"*.h", ".h", false},   {".*", ".h", true},
        {"[.]h", ".h", false}, {"a*", "a.b", true},    {"**", "a", true},      {"*?", "", false},
        {"a\\", "a\\", true},  {"[!a", "[!a", true},   {"*ab", "aab", true},   {"[\\*]", "*", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (glob_match(rows[i].pattern, rows[i].name) != rows[i].match)
            fail_msg("%s and %s", rows[i].pattern, rows[i].name);
}

static void variable_table(void **state) {
    static char large[VARIABLES_TEXT];
    size_t at = 0;

    (void)state;
    memset(&variables, 0, sizeof(variables));
    assert_null(variables_get(&variables, "A", 1));
    assert_true(variables_set(&variables, "AB", 2, "1"));
    assert_true(variables_set(&variables, "A", 1, ""));
    assert_true(variables_set(&variables, "C", 1, "3"));
    assert_string_equal(variables_get(&variables, "A", 1), "");
    assert_string_equal(variables_get(&variables, "ABC", 2), "1");
    assert_true(variables_set(&variables, "A", 1, "a longer one"));
    assert_string_equal(variables_next(&variables, &at), "AB=1");
    assert_string_equal(variables_next(&variables, &at), "C=3");
    assert_string_equal(variables_next(&variables, &at), "A=a longer one");
    assert_null(variables_next(&variables, &at));
    memset(large, 'x', sizeof(large) - 1);
    assert_false(variables_set(&variables, "A", 1, large));
    assert_string_equal(variables_get(&variables, "A", 1), "a longer one");
    assert_true(variables_set(&variables, "A", 1, NULL));
    assert_true(variables_set(&variables, "NONE", 4, NULL));
    assert_null(variables_get(&variables, "A", 1));
    assert_string_equal(variables_get(&variables, "C", 1), "3");
    large[sizeof(large) - 1 - variables.used - 2] = 0;
    assert_true(variables_set(&variables, "D", 1, large));
    assert_int_equal(variables.used, VARIABLES_TEXT);
}

/* ---- test ---- */

static enum test_kind look(const char *path, uint64_t *ret_size) {
    *ret_size = strcmp(path, "full") == 0 ? 5 : 0;
    return strcmp(path, "folder") == 0 ? TEST_FOLDER : strcmp(path, "none") == 0 ? TEST_NOTHING : TEST_FILE;
}

static void test_command(void **state) {
    static const struct {
        const char *words;
        unsigned status;
    } rows[] = {
        {"test", 1},
        {"test a", 0},
        {"test -n", 0},
        {"test !", 0},
        {"test -n a", 0},
        {"test -z a", 1},
        {"test ! a", 1},
        {"test ! ! a", 0},
        {"test a = a", 0},
        {"test a = b", 1},
        {"test a != b", 0},
        {"test ! = !", 0},
        {"test -n = -n", 0},
        {"test 1 -eq 01", 0},
        {"test 1 -ne 1", 1},
        {"test -2 -lt 1", 0},
        {"test 2 -lt 2", 1},
        {"test 2 -le 2", 0},
        {"test 3 -gt 2", 0},
        {"test 2 -gt 2", 1},
        {"test 2 -ge 2", 0},
        {"test 1 -ge 2", 1},
        {"test x -eq 1", 2},
        {"test -e none", 1},
        {"test -e folder", 0},
        {"test -e file", 0},
        {"test -f file", 0},
        {"test -f folder", 1},
        {"test -d folder", 0},
        {"test -d file", 1},
        {"test -s file", 1},
        {"test -s full", 0},
        {"test -q a", 2},
        {"test a b c", 2},
        {"test a b c d", 2},
        {"test ! -f none", 0},
        {"test ! a = b", 0},
        {"[ a = a ]", 0},
        {"[ a = a", 2},
        {"[ ]", 1},
        {"[", 2},
        {"test 2 -le 1", 1},
        {"test 1 -eq 2", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64], *rest = text;
        const char *argv[16], *reason = NULL;
        unsigned argc = 0, status;

        snprintf(text, sizeof(text), "%s", rows[i].words);
        while ((argv[argc] = strtok_r(NULL, " ", &rest)))
            argc++;
        status = test_run(argc, argv, look, &reason);
        if (status != rows[i].status || (status == 2) != (reason != NULL))
            fail_msg("%s: %u", rows[i].words, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),          cmocka_unit_test(bounds),       cmocka_unit_test(any_text),
        cmocka_unit_test(words),          cmocka_unit_test(many_words),   cmocka_unit_test(matches),
        cmocka_unit_test(variable_table), cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
