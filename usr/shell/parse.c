/* SPDX-License-Identifier: MIT */
/*
 * Reading the shell's language (shell/parse.h): recursive descent over the text, a function for each rule, as deep as
 * PARSE_DEPTH. The first thing that is wrong stays the reason, and everything returns at once after it.
 *
 * A text that ends too early is told from one that is wrong, so that the prompt can ask for the rest. The innermost
 * command that is open gives the reason.
 */
#include "shell/parse.h"

#include "os2/string.h"

struct parser {
    const char *text;
    size_t at;
    struct parse_tree *tree;
    unsigned depth;
    const char *reason;
    bool more; /* the reason is that the text ends */
};

/* The words that may begin no command, and what is wrong where they do. */
static const struct {
    const char *word, *reason;
    bool introduces;
} keywords[] = {
    {"if", NULL, true},
    {"while", NULL, true},
    {"until", NULL, true},
    {"!", NULL, true},
    {"then", "then: no if before it", true},
    {"elif", "elif: no if before it", true},
    {"else", "else: no if before it", true},
    {"fi", "fi: no if before it", false},
    {"do", "do: no while, until or for before it", true},
    {"done", "done: no while, until or for before it", false},
    {"for", NULL, false},
    {"case", "case: this shell has none", false},
    {"{", "{ as a command: this shell has none", false},
    {"}", "} as a command: this shell has none", false},
};

static unsigned parse_steps(struct parser *p);

static bool parse_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

bool parse_word_end(char c) {
    return !c || parse_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '<' || c == '>';
}

static bool is_word(const char *word, size_t size, const char *wanted) {
    return strlen(wanted) == size && memcmp(word, wanted, size) == 0;
}

bool parse_introduces(const char *word, size_t size) {
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (keywords[i].introduces && is_word(word, size, keywords[i].word))
            return true;
    return false;
}

static bool name_letter(char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

size_t parse_name(const char *text, size_t size) {
    size_t length = 0;
    while (length < size && name_letter(text[length], length == 0))
        length++;
    return length;
}

static bool is_name(const char *text, size_t size) {
    return size && parse_name(text, size) == size;
}

bool parse_assigns(const struct parse_tree *tree, unsigned word, size_t *ret_name) {
    const struct parse_word *w = &tree->word[word];
    *ret_name = parse_name(tree->text + w->at, w->size);
    return *ret_name && *ret_name < w->size && tree->text[w->at + *ret_name] == '=';
}

static void parse_fail(struct parser *p, const char *reason) {
    if (!p->reason)
        p->reason = reason;
}

/* Something is missing. At the end of the text it may still come. */
static void parse_missing(struct parser *p, const char *reason) {
    if (!p->reason)
        p->more = !p->text[p->at];
    parse_fail(p, reason);
}

/* Goes past blanks, comments, and a line end behind a backslash. */
static void skip_blanks(struct parser *p) {
    const char *text = p->text;

    for (;;) {
        if (parse_blank(text[p->at])) {
            p->at++;
        } else if (text[p->at] == '\\' && text[p->at + 1] == '\n') {
            p->at += 2;
        } else if (text[p->at] == '#') {
            while (text[p->at] && text[p->at] != '\n')
                p->at++;
        } else {
            return;
        }
    }
}

static void skip_lines(struct parser *p) {
    for (skip_blanks(p); p->text[p->at] == '\n'; skip_blanks(p))
        p->at++;
}

/* The same, and past semicolons with nothing between them. */
static void skip_empty(struct parser *p) {
    for (skip_lines(p); p->text[p->at] == ';'; skip_lines(p))
        p->at++;
}

static unsigned node_add(struct parser *p, enum parse_kind kind) {
    if (p->tree->nodes == PARSE_NODES) {
        parse_fail(p, "too many commands in one");
        return 0;
    }
    p->tree->node[p->tree->nodes] = (struct parse_node){.kind = kind};
    return p->tree->nodes++;
}

static struct parse_node *node(struct parser *p, unsigned place) {
    return &p->tree->node[place];
}

/* ---- Words. ---- */

/* Goes past a quoted piece, from its opening quote on. */
static void skip_quoted(struct parser *p) {
    char quote = p->text[p->at++];

    while (p->text[p->at] && p->text[p->at] != quote) {
        if (quote == '"' && p->text[p->at] == '`')
            parse_fail(p, "` must be in single quotes");
        if (quote == '"' && p->text[p->at] == '\\' && p->text[p->at + 1])
            p->at++;
        p->at++;
    }
    if (!p->text[p->at])
        parse_missing(p, quote == '"' ? "no closing \"" : "no closing '");
    else
        p->at++;
}

/* Where the word at p->at ends. */
static void skip_word(struct parser *p) {
    while (!p->reason && !parse_word_end(p->text[p->at])) {
        char c = p->text[p->at];
        if (c == '\'' || c == '"') {
            skip_quoted(p);
            continue;
        }
        if (c == '(' || c == ')' || c == '`')
            parse_fail(p, "( ) and ` must be quoted");
        p->at++;
        if (c == '\\' && !p->text[p->at])
            parse_missing(p, "nothing behind \\");
        else if (c == '\\')
            p->at++;
    }
}

/* Reads a word, the next one of the node. */
static void parse_word(struct parser *p, struct parse_node *of) {
    size_t start = p->at;

    skip_word(p);
    if (p->tree->words == PARSE_WORDS)
        parse_fail(p, "too many words");
    if (p->reason)
        return;
    if (!of->words)
        of->word = p->tree->words;
    of->words++;
    p->tree->word[p->tree->words++] = (struct parse_word){start, p->at - start};
}

/* Is this the next word, as it stands? */
static bool at_word(const struct parser *p, const char *word) {
    size_t length = strlen(word);
    return strncmp(p->text + p->at, word, length) == 0 && parse_word_end(p->text[p->at + length]);
}

/* Takes the word if it is the next one. */
static bool take_word(struct parser *p, const char *word) {
    if (p->reason || !at_word(p, word))
        return false;
    p->at += strlen(word);
    return true;
}

/* Is a word next that ends the steps of a command they are in? */
static bool at_block_end(const struct parser *p) {
    static const char *const ends[] = {"then", "elif", "else", "fi", "do", "done"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (at_word(p, ends[i]))
            return true;
    return false;
}

/* ---- Commands of words. ---- */

/* The file of a redirection, from its < or > on. */
static void parse_redirection(struct parser *p, struct parse_node *command) {
    bool output = p->text[p->at++] == '>', append = output && p->text[p->at] == '>';
    struct parse_word *file = output ? &command->output : &command->input;

    p->at += append;
    if (file->size)
        parse_fail(p, output ? "two files for the output" : "two files for the input");
    skip_blanks(p);
    if (parse_word_end(p->text[p->at]))
        parse_missing(p, output ? "no file behind >" : "no file behind <");
    file->at = p->at;
    skip_word(p);
    file->size = p->at - file->at;
    command->append |= append;
}

/* Is the last word a number, with < or > close behind it? That would be a redirection of another stream. */
static bool is_stream(const struct parser *p) {
    const struct parse_word *word = &p->tree->word[p->tree->words - 1];

    for (size_t i = 0; i < word->size; i++)
        if (p->text[word->at + i] < '0' || p->text[word->at + i] > '9')
            return false;
    return p->text[p->at] == '<' || p->text[p->at] == '>';
}

/* What may not begin a command, if that is the next word. */
static void parse_refuse(struct parser *p) {
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (keywords[i].reason && at_word(p, keywords[i].word))
            parse_fail(p, keywords[i].reason);
}

/* Reads words and redirections. 0: there are none. */
static unsigned parse_command(struct parser *p) {
    unsigned place = node_add(p, PARSE_COMMAND);
    struct parse_node *command = node(p, place);

    parse_refuse(p);
    for (skip_blanks(p); !p->reason; skip_blanks(p)) {
        char c = p->text[p->at];
        if (c == '<' || c == '>') {
            parse_redirection(p, command);
            continue;
        }
        if (parse_word_end(c))
            break;
        parse_word(p, command);
        if (!p->reason && is_stream(p))
            parse_fail(p, "only input and output can be redirected: < > >>");
    }
    return !p->reason && (command->words || command->input.size || command->output.size) ? place : 0;
}

/* ---- if, while, until, for. ---- */

/* Steps up to one of the words that may come behind them, of which there must be one. */
static unsigned parse_block(struct parser *p, const char *missing) {
    unsigned first = parse_steps(p);

    if (p->reason)
        return 0;
    if (!first)
        parse_missing(p, missing);
    return first;
}

static void parse_body(struct parser *p, unsigned loop, const char *no_do, const char *no_done) {
    if (!take_word(p, "do"))
        parse_missing(p, no_do);
    node(p, loop)->second = parse_block(p, no_done);
    if (!take_word(p, "done"))
        parse_missing(p, no_done);
}

static unsigned parse_while(struct parser *p, bool until) {
    unsigned loop = node_add(p, until ? PARSE_UNTIL : PARSE_WHILE);

    node(p, loop)->first = parse_block(p, until ? "until: no condition" : "while: no condition");
    parse_body(p, loop, until ? "until: no do" : "while: no do", until ? "until: no done" : "while: no done");
    return loop;
}

/* The rest of an if or elif, behind that word. */
static unsigned parse_if(struct parser *p) {
    unsigned first = 0, last = 0, part;

    do {
        part = node_add(p, PARSE_IF);
        if (last)
            node(p, last)->third = part;
        else
            first = part;
        last = part;
        node(p, part)->first = parse_block(p, "if: no condition");
        if (!take_word(p, "then"))
            parse_missing(p, "if: no then");
        node(p, part)->second = parse_block(p, "if: nothing behind then");
    } while (take_word(p, "elif"));
    if (take_word(p, "else"))
        node(p, last)->third = parse_block(p, "if: nothing behind else");
    if (!take_word(p, "fi"))
        parse_missing(p, "if: no fi");
    return first;
}

static unsigned parse_for(struct parser *p) {
    unsigned place = node_add(p, PARSE_FOR);
    struct parse_node *loop = node(p, place);

    skip_blanks(p);
    if (parse_word_end(p->text[p->at]))
        parse_missing(p, "for: no name");
    else
        parse_word(p, loop);
    if (!p->reason && !is_name(p->text + p->tree->word[loop->word].at, p->tree->word[loop->word].size))
        parse_fail(p, "for: not a name");
    skip_lines(p);
    loop->own = !take_word(p, "in");
    for (skip_blanks(p); !p->reason && !loop->own && !parse_word_end(p->text[p->at]); skip_blanks(p))
        parse_word(p, loop);
    if (!p->reason && p->text[p->at] == ';')
        p->at++;
    skip_lines(p);
    parse_body(p, place, "for: no do", "for: no done");
    return place;
}

/* One of the four, if the next word says so. */
static unsigned parse_compound(struct parser *p, bool *ret_compound) {
    *ret_compound = true;
    if (take_word(p, "if"))
        return parse_if(p);
    if (take_word(p, "while"))
        return parse_while(p, false);
    if (take_word(p, "until"))
        return parse_while(p, true);
    if (take_word(p, "for"))
        return parse_for(p);
    *ret_compound = false;
    return 0;
}

/* A command of any kind. 0: there is none, or an error. */
static unsigned parse_any(struct parser *p, bool *ret_compound) {
    unsigned place;

    if (++p->depth > PARSE_DEPTH + 1)
        parse_fail(p, "too many commands within commands");
    place = parse_compound(p, ret_compound);
    p->depth--;
    if (!*ret_compound)
        return p->reason ? 0 : parse_command(p);
    skip_blanks(p);
    if (!parse_word_end(p->text[p->at]) && !at_block_end(p))
        parse_fail(p, "no ; behind fi or done");
    if (p->text[p->at] == '<' || p->text[p->at] == '>')
        parse_fail(p, "if, while, until and for cannot be redirected");
    return place;
}

/* ---- Pipelines and steps. ---- */

static bool at_pipe(const struct parser *p) {
    return p->text[p->at] == '|' && p->text[p->at + 1] != '|';
}

/* Reads what is behind a |, up to the end of the pipeline. */
static unsigned parse_pipes(struct parser *p, unsigned first, bool compound) {
    unsigned pipeline = node_add(p, PARSE_PIPELINE), last = first, stages = 1;

    node(p, pipeline)->first = first;
    while (!p->reason && at_pipe(p)) {
        p->at++;
        skip_lines(p);
        node(p, last)->next = parse_any(p, &compound);
        last = node(p, last)->next;
        if (compound)
            parse_fail(p, "if, while, until and for cannot stand in a pipeline");
        if (!last)
            parse_missing(p, "no command beside |");
        if (++stages > PARSE_STAGES)
            parse_fail(p, "too many commands in a pipeline");
    }
    return pipeline;
}

static unsigned parse_pipeline(struct parser *p) {
    bool compound, inverted = false, any = false;
    unsigned place;

    skip_blanks(p);
    for (; take_word(p, "!"); skip_blanks(p)) {
        inverted = !inverted;
        any = true;
    }
    place = parse_any(p, &compound);
    if (!place && any)
        parse_missing(p, "no command behind !");
    if (!place && at_pipe(p))
        parse_fail(p, "no command beside |");
    if (p->reason || !place)
        return 0;
    if (compound && at_pipe(p))
        parse_fail(p, "if, while, until and for cannot stand in a pipeline");
    if (!compound)
        place = parse_pipes(p, place, compound);
    if (inverted) {
        unsigned other = node_add(p, PARSE_NOT);
        node(p, other)->first = place;
        place = other;
    }
    return place;
}

/* && or || at p->at? Goes past it then. */
static enum parse_kind take_joint(struct parser *p) {
    char c = p->text[p->at];

    if (p->reason || (c != '&' && c != '|') || p->text[p->at + 1] != c)
        return 0;
    p->at += 2;
    return c == '&' ? PARSE_AND : PARSE_OR;
}

/* A step, without what ends it. 0: there is none, or an error. */
static unsigned parse_step(struct parser *p) {
    unsigned place = parse_pipeline(p);
    enum parse_kind joint;

    while ((joint = take_joint(p))) {
        unsigned both = node_add(p, joint), second;
        if (!place)
            parse_fail(p, joint == PARSE_AND ? "no command before &&" : "no command before ||");
        skip_lines(p);
        second = parse_pipeline(p);
        if (!second)
            parse_missing(p, joint == PARSE_AND ? "no command behind &&" : "no command behind ||");
        node(p, both)->first = place;
        node(p, both)->second = second;
        place = both;
    }
    return place;
}

/* What ends a step; an & makes it one of the background. */
static void parse_step_end(struct parser *p, unsigned step) {
    if (p->text[p->at] == '&') {
        if (!step)
            parse_fail(p, "no command before &");
        else if (node(p, step)->kind != PARSE_PIPELINE)
            parse_fail(p, "only a pipeline can run in the background");
        else
            node(p, step)->background = true;
    }
    if (p->text[p->at] == '&' || p->text[p->at] == ';' || p->text[p->at] == '\n')
        p->at++;
    else if (p->text[p->at] && !at_block_end(p))
        parse_fail(p, "no ; before the next command");
}

/* Steps up to the word that ends them, or the end of the text. The first one, or 0. */
static unsigned parse_steps(struct parser *p) {
    unsigned first = 0, last = 0;

    skip_empty(p);
    while (!p->reason && p->text[p->at] && !at_block_end(p)) {
        unsigned step = parse_step(p);
        parse_step_end(p, step);
        if (p->reason)
            return 0;
        if (last)
            node(p, last)->next = step;
        else
            first = step;
        last = step;
        skip_empty(p);
    }
    return first;
}

enum parse_result parse_next(const char *text, size_t *at, struct parse_tree *ret_tree, const char **ret_reason) {
    struct parser p = {.text = text, .at = *at, .tree = ret_tree};

    ret_tree->text = text;
    ret_tree->nodes = ret_tree->words = 1; /* place 0 is none */
    skip_empty(&p);
    if (!text[p.at])
        return PARSE_END;
    ret_tree->root = parse_step(&p);
    if (!p.reason)
        parse_step_end(&p, ret_tree->root);
    *ret_reason = p.reason;
    if (p.reason)
        return p.more ? PARSE_MORE : PARSE_ERROR;
    *at = p.at;
    return PARSE_STEP;
}
