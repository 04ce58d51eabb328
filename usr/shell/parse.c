/* SPDX-License-Identifier: MIT */
/*
 * Reading a line of the shell's language (shell/parse.h): one pass, words are copied to the pipeline's own text.
 */
#include "shell/parse.h"

#include "lib/format.h"

struct parser {
    const char *line;
    size_t at;
    uint64_t status;
    struct parse_pipeline *out;
    unsigned word_count;
    size_t text_used;
    const char *reason;
};

static bool parse_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool parse_word_end(char c) {
    return !c || parse_blank(c) || c == ';' || c == '&' || c == '|';
}

static void parse_put(struct parser *p, char c) {
    if (p->text_used < PARSE_TEXT)
        p->out->text[p->text_used++] = c;
    else
        p->reason = "line too long";
}

/* $? at p->at. */
static bool parse_status(struct parser *p) {
    char number[24];

    if (p->line[p->at] != '$' || p->line[p->at + 1] != '?')
        return false;
    format(number, sizeof(number), "%lu", p->status);
    for (const char *c = number; *c; c++)
        parse_put(p, *c);
    p->at += 2;
    return true;
}

/* A quoted piece of a word, from its opening quote on. */
static void parse_quoted(struct parser *p) {
    char quote = p->line[p->at++];

    while (p->line[p->at] && p->line[p->at] != quote) {
        if (quote == '"' && parse_status(p))
            continue;
        if (quote == '"' && p->line[p->at] == '\\' && (p->line[p->at + 1] == '"' || p->line[p->at + 1] == '\\'))
            p->at++;
        parse_put(p, p->line[p->at++]);
    }
    if (!p->line[p->at]) {
        p->reason = quote == '"' ? "no closing \"" : "no closing '";
        return;
    }
    p->at++;
}

static void parse_word(struct parser *p) {
    if (p->word_count + 1 >= PARSE_WORDS) { /* one place is left for the null */
        p->reason = "too many words";
        return;
    }
    p->out->words[p->word_count++] = p->out->text + p->text_used;
    while (!p->reason && !parse_word_end(p->line[p->at])) {
        char c = p->line[p->at];
        if (c == '\'' || c == '"') {
            parse_quoted(p);
        } else if (!parse_status(p)) {
            if (c == '\\' && p->line[p->at + 1])
                p->at++;
            parse_put(p, p->line[p->at++]);
        }
    }
    parse_put(p, 0);
}

/* Reads one command into the next stage, with a null behind its words. */
static void parse_command(struct parser *p) {
    unsigned stage = p->out->stages, argc = 0;

    if (stage == PARSE_STAGES) {
        p->reason = "too many commands in a pipeline";
        return;
    }
    p->out->stage[stage].argv = p->out->words + p->word_count;
    for (;;) {
        while (parse_blank(p->line[p->at]))
            p->at++;
        if (p->reason || parse_word_end(p->line[p->at]))
            break;
        parse_word(p);
        argc++;
    }
    p->out->words[p->word_count++] = NULL;
    p->out->stage[stage].argc = argc;
    p->out->stages += argc > 0;
}

enum parse_result parse_next(const char *line, size_t *at, uint64_t status, struct parse_pipeline *ret_pipeline,
                             const char **ret_reason) {
    struct parser p = {.line = line, .at = *at, .status = status, .out = ret_pipeline};
    unsigned stages;
    char end;

    ret_pipeline->stages = 0;
    ret_pipeline->background = false;
    do {
        while (parse_blank(line[p.at]) || (line[p.at] == ';' && !ret_pipeline->stages))
            p.at++;
        if (!line[p.at] && !ret_pipeline->stages)
            return PARSE_END;
        stages = ret_pipeline->stages;
        parse_command(&p);
        end = line[p.at];
        if (!p.reason && ret_pipeline->stages == stages)
            p.reason = end == '&' ? "no command before &" : "no command beside |";
        if (end)
            p.at++;
    } while (!p.reason && end == '|');
    if (p.reason) {
        *ret_reason = p.reason;
        return PARSE_ERROR;
    }
    ret_pipeline->background = end == '&';
    *at = p.at;
    return PARSE_PIPELINE;
}
