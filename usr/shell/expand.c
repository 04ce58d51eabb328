/* SPDX-License-Identifier: MIT */
/*
 * Expansion (shell/expand.h): one pass over a word. While a word may become a pattern, bytes that mean something in one
 * and are quoted get a backslash before them, which is taken out again in the end.
 */
#include "shell/expand.h"

#include "lib/format.h"
#include "os2/string.h"

struct expander {
    const char *text; /* the word as it was typed */
    size_t at, size;
    const struct expand_values *values;
    struct expand_list *list;
    size_t start; /* of the word being made, in the list's text */
    bool whole;   /* it is neither split nor matched */
    bool some;    /* it is a word, even if it is empty */
    bool pattern; /* it has one of * ? [ that is not quoted */
    const char *reason;
};

static char paths[GLOB_TEXT];

static void expand_fail(struct expander *e, const char *reason) {
    if (!e->reason)
        e->reason = reason;
}

static void put_byte(struct expander *e, char c) {
    if (e->list->used == EXPAND_TEXT)
        expand_fail(e, "the words are too long");
    else
        e->list->text[e->list->used++] = c;
}

static bool is_special(char c) {
    return c == '*' || c == '?' || c == '[';
}

static void put_char(struct expander *e, char c, bool quoted) {
    if (!e->whole && (c == '\\' || (quoted && (is_special(c) || c == ']' || c == '!' || c == '-'))))
        put_byte(e, '\\');
    e->pattern |= !quoted && is_special(c);
    e->some = true;
    put_byte(e, c);
}

static void list_add(struct expander *e, const char *word) {
    if (e->list->count == EXPAND_WORDS - 1) /* one place is left for the null */
        expand_fail(e, "too many words");
    else
        e->list->words[e->list->count++] = word;
}

/* The word being made has become a pattern: the paths take its place. False: there are none. */
static bool match_paths(struct expander *e) {
    int count = glob_expand(e->list->text + e->start, e->values->folders, paths);
    const char *path = paths;

    if (count < 0)
        expand_fail(e, "too many files match");
    if (count <= 0)
        return count < 0;
    e->list->used = e->start;
    for (int i = 0; i < count && !e->reason; i++) {
        list_add(e, e->list->text + e->list->used);
        do
            put_byte(e, *path);
        while (*path++);
    }
    return true;
}

/* Ends the word being made, and begins the next one. */
static void end_word(struct expander *e) {
    if (e->some)
        put_byte(e, 0);
    if (e->some && !e->reason && !(e->pattern && !e->whole && match_paths(e))) {
        if (!e->whole)
            glob_plain(e->list->text + e->start);
        e->list->used = e->start + strlen(e->list->text + e->start) + 1;
        list_add(e, e->list->text + e->start);
    }
    e->start = e->list->used;
    e->some = e->pattern = false;
}

static void put_value(struct expander *e, const char *value, bool quoted) {
    for (; *value && !e->reason; value++) {
        bool blank = *value == ' ' || *value == '\t' || *value == '\n';
        if (blank && !quoted && !e->whole)
            end_word(e);
        else
            put_char(e, *value, quoted);
    }
}

/* $@ and $*: all arguments. */
static void put_arguments(struct expander *e, bool quoted, bool apart) {
    for (unsigned i = 1; i < e->values->argc; i++) {
        if (i > 1 && apart && !e->whole)
            end_word(e);
        else if (i > 1)
            put_value(e, " ", quoted);
        e->some |= quoted;
        put_value(e, e->values->argv[i], quoted);
    }
    if (e->values->argc <= 1 && apart && e->list->used == e->start)
        e->some = false; /* "$@" of nothing is no word */
}

/* A variable whose name is given. */
static void put_variable(struct expander *e, const char *name, size_t length, bool quoted) {
    const struct expand_values *v = e->values;
    const char *value = "";
    char number[24];

    if (length == 1 && (*name == '?' || *name == '#')) {
        format(number, sizeof(number), "%lu", *name == '?' ? v->status : v->argc ? (uint64_t)v->argc - 1 : 0);
        value = number;
    } else if (length == 1 && (*name == '@' || *name == '*')) {
        put_arguments(e, quoted, *name == '@' || !quoted);
        return;
    } else if (length == 1 && *name >= '0' && *name <= '9') {
        value = (unsigned)(*name - '0') < v->argc ? v->argv[*name - '0'] : "";
    } else if (v->variable) {
        value = v->variable(v->context, name, length);
    }
    put_value(e, value ? value : "", quoted);
}

/* How long the name is that follows a $: letters, or one character of its own. */
static size_t name_length(const char *text, size_t size) {
    size_t length = parse_name(text, size);
    char c = size ? *text : 0;

    if (length)
        return length;
    return c == '?' || c == '#' || c == '@' || c == '*' || (c >= '0' && c <= '9');
}

/* A $ and what follows. */
static void expand_dollar(struct expander *e, bool quoted) {
    const char *text = e->text + ++e->at;
    size_t left = e->size - e->at, length;

    if (left && *text == '{') {
        length = name_length(text + 1, left - 1);
        if (!length || length + 1 >= left || text[length + 1] != '}') {
            expand_fail(e, "${ }: only ${NAME}");
            return;
        }
        put_variable(e, text + 1, length, quoted);
        e->at += length + 2;
        return;
    }
    if (left && *text == '(') {
        expand_fail(e, "$( ): this shell has none");
        return;
    }
    length = name_length(text, left);
    if (length)
        put_variable(e, text, length, quoted);
    else
        put_char(e, '$', true);
    e->at += length;
}

/* A backslash and what follows. In double quotes it is one itself, except before these. */
static void expand_backslash(struct expander *e, bool quoted) {
    char next = e->at + 1 < e->size ? e->text[e->at + 1] : 0;

    if (next == '\n') {
        e->at += 2;
        return;
    }
    if (!next || (quoted && next != '"' && next != '\\' && next != '$' && next != '`')) {
        put_char(e, '\\', true);
        e->at++;
        return;
    }
    put_char(e, next, true);
    e->at += 2;
}

static void expand_quoted(struct expander *e) {
    char quote = e->text[e->at++];

    e->some = true;
    while (!e->reason && e->at < e->size && e->text[e->at] != quote) {
        if (quote == '"' && e->text[e->at] == '$')
            expand_dollar(e, true);
        else if (quote == '"' && e->text[e->at] == '\\')
            expand_backslash(e, true);
        else
            put_char(e, e->text[e->at++], true);
    }
    e->at++;
}

static const char *expand_word(const char *text, size_t size, bool whole, const struct expand_values *values,
                               struct expand_list *list) {
    struct expander e = {
        .text = text, .size = size, .values = values, .list = list, .start = list->used, .whole = whole, .some = whole};

    while (!e.reason && e.at < e.size) {
        char c = text[e.at];
        if (c == '\'' || c == '"')
            expand_quoted(&e);
        else if (c == '$')
            expand_dollar(&e, false);
        else if (c == '\\')
            expand_backslash(&e, false);
        else
            put_char(&e, text[e.at++], false);
    }
    e.some |= whole;
    end_word(&e);
    return e.reason;
}

const char *expand_value(const char *text, size_t size, const struct expand_values *values, struct expand_list *list) {
    return expand_word(text, size, true, values, list);
}

const char *expand_words(const struct parse_tree *tree, unsigned first, unsigned count,
                         const struct expand_values *values, struct expand_list *list) {
    const char *reason = NULL;

    for (unsigned i = first; i < first + count && !reason; i++)
        reason = expand_word(tree->text + tree->word[i].at, tree->word[i].size, false, values, list);
    return reason;
}

/* The file of a redirection; null: there is none. */
static const char *expand_file(const struct parse_tree *tree, const struct parse_word *word,
                               const struct expand_values *values, struct expand_list *list, const char **ret_file) {
    const char *reason;

    if (!word->size)
        return NULL;
    *ret_file = list->text + list->used;
    reason = expand_value(tree->text + word->at, word->size, values, list);
    if (!reason && !**ret_file)
        reason = "the name of a file to redirect to is empty";
    list->count -= !reason; /* it is no argument */
    return reason;
}

static const char *expand_stage(const struct parse_tree *tree, const struct parse_node *command,
                                const struct expand_values *values, struct expand_pipeline *ret) {
    struct expand_stage *stage = &ret->stage[ret->stages++];
    struct expand_list *list = &ret->list;
    unsigned before = list->count;
    const char *reason;

    *stage = (struct expand_stage){.argv = list->words + before, .append = command->append};
    reason = expand_words(tree, command->word, command->words, values, list);
    stage->argc = list->count - before;
    if (!reason)
        reason = expand_file(tree, &command->input, values, list, &stage->input);
    if (!reason)
        reason = expand_file(tree, &command->output, values, list, &stage->output);
    list->words[list->count] = NULL;
    list->count += list->count < EXPAND_WORDS - 1;
    return reason;
}

const char *expand_pipeline(const struct parse_tree *tree, unsigned place, const struct expand_values *values,
                            struct expand_pipeline *ret_pipeline) {
    const char *reason = NULL;

    ret_pipeline->stages = 0;
    ret_pipeline->background = tree->node[place].background;
    ret_pipeline->list.count = 0;
    ret_pipeline->list.used = 0;
    for (unsigned i = tree->node[place].first; i && !reason; i = tree->node[i].next)
        reason = expand_stage(tree, &tree->node[i], values, ret_pipeline);
    return reason;
}
