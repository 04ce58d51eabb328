/* SPDX-License-Identifier: MIT */
/*
 * Completion of words (shell/complete.h). Bytes of a file's name that mean something to the shell are offered with a
 * backslash before them, and what was typed is compared in that form, so a name with a blank is completed if its blank
 * was typed so. Within quotes nothing is offered.
 */
#include "shell/complete.h"

#include "os2/string.h"
#include "os2/text.h"
#include "shell/parse.h"

#define PATH_MAX 1024u
#define NAME_MAX 256u

struct word {
    size_t start, end;
    bool command; /* a command begins here */
    bool quoted;
};

/* What was typed of a name, and where names that go on so are put. */
struct taker {
    const char *typed;
    size_t length;
    struct os2_completions *to;
};

/* Finds the word that ends at the cursor: reads the line from its start, since only so quotes are known. */
static struct word word_find(const char *line, size_t cursor) {
    struct word word = {.command = true};
    bool command = true;

    for (size_t at = 0; at < cursor;) {
        char c = line[at];
        if (parse_word_end(c)) {
            command |= c == ';' || c == '&' || c == '|';
            command &= c != '<' && c != '>';
            at++;
            word = (struct word){.start = at, .command = command};
            continue;
        }
        word = (struct word){.start = at, .command = command};
        while (at < cursor && !parse_word_end(line[at])) {
            char quote = line[at];
            at += quote == '\\' ? 2 : 1;
            if (quote != '\'' && quote != '"')
                continue;
            word.quoted = true;
            while (at < cursor && line[at] != quote)
                at++;
            at++;
        }
        command = command && at < cursor && parse_introduces(line + word.start, at - word.start);
    }
    word.end = cursor;
    return word;
}

static bool needs_backslash(char c) {
    return parse_word_end(c) || c == '\\' || c == '\'' || c == '"' || c == '$' || c == '*' || c == '?' || c == '[' ||
           c == '(' || c == ')' || c == '`' || c == '#';
}

/* Adds the name if it goes on with what was typed. */
static void take_name(void *taker, const char *name) {
    const struct taker *t = taker;
    char escaped[2 * NAME_MAX];
    size_t used = 0;

    if (*name == '.' && !(t->length && *t->typed == '.'))
        return;
    for (; *name && used + 2 < sizeof(escaped); name++) {
        if (needs_backslash(*name))
            escaped[used++] = '\\';
        escaped[used++] = *name;
    }
    escaped[used] = 0;
    if (strncmp(escaped, t->typed, t->length) == 0)
        os2_completion_add(t->to, escaped);
}

/* The folder that the typed path names, without backslashes. */
static void folder_read(const char *path, size_t size, char ret_folder[PATH_MAX]) {
    size_t used = 0;

    for (size_t i = 0; i < size && used + 1 < PATH_MAX; i++) {
        if (path[i] == '\\' && i + 1 < size)
            i++;
        ret_folder[used++] = path[i];
    }
    ret_folder[used] = 0;
}

void complete_line(const struct complete_names *names, const char *line, size_t cursor, struct os2_completions *ret) {
    struct word word = word_find(line, cursor);
    size_t name = word.end;
    char folder[PATH_MAX];
    struct taker taker = {.to = ret};

    while (name > word.start && line[name - 1] != '/')
        name--;
    if (line[word.start] == '$' && name == word.start)
        name++;
    ret->from = name;
    taker.typed = line + name;
    taker.length = word.end - name;
    if (word.quoted)
        return;
    if (name == word.start && word.command) {
        names->commands(take_name, &taker);
    } else if (name == word.start + 1 && line[word.start] == '$') {
        names->variables(take_name, &taker);
    } else {
        folder_read(line + word.start, name - word.start, folder);
        names->files(folder, take_name, &taker);
    }
}
