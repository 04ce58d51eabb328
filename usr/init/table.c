/* SPDX-License-Identifier: MIT */
/* Reading the table of services (init/table.h): words of a line, one line after the other. */
#include "init/table.h"

#include "os2/string.h"
#include "os2/supervisor.h"

#define WORDS 12u
#define WORD 32u
#define ENDS_DEFAULT 8u

const char *const table_grant_names[GRANTS] = {OS2_SERVICE_GRANTS};

/* The words of a line, up to its comment. */
struct line {
    unsigned count;
    char word[WORDS][WORD];
};

struct table {
    struct table_service *services;
    unsigned count;
};

/* Null, or what is wrong. */
typedef const char *line_function(struct table *table, struct table_service *service, const struct line *line);

static bool line_numbers(const struct line *line, unsigned least, unsigned most, uint64_t ret[2]) {
    if (line->count < least + 1 || line->count > most + 1)
        return false;
    for (unsigned i = 1; i < line->count; i++)
        if (!os2_string_number(line->word[i], &ret[i - 1]))
            return false;
    return true;
}

static int service_place(const struct table *table, const char *name) {
    for (unsigned i = 0; i < table->count; i++)
        if (strcmp(table->services[i].name, name) == 0)
            return (int)i;
    return -1;
}

static const char *line_program(struct table *table, struct table_service *service, const struct line *line) {
    (void)table;
    if (line->count != 2 || strlen(line->word[1]) >= TABLE_NAME)
        return "program: one name, of at most 16 letters";
    os2_string_copy(service->program, TABLE_NAME, line->word[1]);
    return NULL;
}

static const char *line_arguments(struct table *table, struct table_service *service, const struct line *line) {
    (void)table;
    if (line->count - 1 > TABLE_ARGUMENTS)
        return "arguments: too many";
    for (service->argument_count = 0; service->argument_count + 1 < line->count; service->argument_count++)
        memcpy(service->arguments[service->argument_count], line->word[service->argument_count + 1], WORD);
    return NULL;
}

static const char *line_grant(struct table *table, struct table_service *service, const struct line *line) {
    unsigned grants = 0;

    (void)table;
    for (unsigned i = 1; i < line->count; i++) {
        unsigned grant = 0;
        while (grant < GRANTS && strcmp(table_grant_names[grant], line->word[i]) != 0)
            grant++;
        if (grant == GRANTS)
            return "grant: no such right";
        grants |= 1u << grant;
    }
    service->grants |= grants;
    return NULL;
}

static const char *line_pages(struct table *table, struct table_service *service, const struct line *line) {
    uint64_t number[2] = {0};

    (void)table;
    if (!line_numbers(line, 1, 2, number) || (number[1] && number[1] < number[0]))
        return "pages: LEAST and MOST, please";
    service->least = number[0];
    service->most = number[1];
    return NULL;
}

static const char *line_stack(struct table *table, struct table_service *service, const struct line *line) {
    uint64_t pages[2];
    unsigned order = 0;

    (void)table;
    if (!line_numbers(line, 1, 1, pages))
        return "stack: a number of pages, please";
    while (order < 4 && UINT64_C(1) << order < pages[0])
        order++;
    if (UINT64_C(1) << order != pages[0])
        return "stack: 1, 2, 4, 8 or 16 pages";
    service->stack_order = order;
    return NULL;
}

static const char *line_watchdog(struct table *table, struct table_service *service, const struct line *line) {
    uint64_t number[2];

    (void)table;
    if (!line_numbers(line, 1, 1, number) || !number[0])
        return "watchdog: milliseconds, please";
    service->watchdog_ms = number[0];
    return NULL;
}

static const char *line_quantum(struct table *table, struct table_service *service, const struct line *line) {
    uint64_t number[2];

    (void)table;
    if (!line_numbers(line, 1, 1, number) || !number[0])
        return "quantum: tokens, please";
    service->quantum = number[0];
    return NULL;
}

static const char *line_ends(struct table *table, struct table_service *service, const struct line *line) {
    uint64_t number[2];

    (void)table;
    if (!line_numbers(line, 1, 1, number) || number[0] > 1000)
        return "ends: a number up to 1000, please";
    service->ends = (unsigned)number[0];
    return NULL;
}

static const char *line_after(struct table *table, struct table_service *service, const struct line *line) {
    uint32_t after = 0;

    for (unsigned i = 1; i < line->count; i++) {
        int place = service_place(table, line->word[i]);
        if (place < 0 || &table->services[place] == service)
            return "after: no such service above";
        after |= UINT32_C(1) << place;
    }
    service->after |= after;
    return NULL;
}

static const char *line_last(struct table *table, struct table_service *service, const struct line *line) {
    for (unsigned i = 0; i < table->count; i++)
        if (table->services[i].last)
            return "last: another service is the last";
    if (line->count != 1)
        return "last: nothing follows";
    service->last = true;
    return NULL;
}

static const char *line_service(struct table *table, const struct line *line) {
    struct table_service service = {.ends = ENDS_DEFAULT};

    if (line->count != 2 || !os2_string_copy(service.name, TABLE_NAME, line->word[1]))
        return "service: one name, of at most 16 letters";
    if (service_place(table, service.name) >= 0)
        return "service: there is one of that name";
    if (table->count == TABLE_SERVICES)
        return "service: too many";
    memcpy(service.program, service.name, TABLE_NAME);
    table->services[table->count++] = service;
    return NULL;
}

static const char *line_use(struct table *table, const struct line *line) {
    static const struct {
        const char *word;
        line_function *use;
    } known[] = {
        {"program", line_program}, {"arguments", line_arguments}, {"grant", line_grant}, {"pages", line_pages},
        {"stack", line_stack},     {"watchdog", line_watchdog},   {"ends", line_ends},   {"after", line_after},
        {"quantum", line_quantum}, {"last", line_last},
    };

    if (strcmp(line->word[0], "service") == 0)
        return line_service(table, line);
    if (!table->count)
        return "a line before the first service";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(line->word[0], known[i].word) == 0)
            return known[i].use(table, &table->services[table->count - 1], line);
    return "no such word";
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the line at *at into words and moves *at behind it. Null, or what is wrong. */
static const char *line_cut(const char *text, size_t size, size_t *at, struct line *ret) {
    const char *reason = NULL;
    bool comment = false;
    size_t length = 0;

    *ret = (struct line){0};
    for (; *at < size && text[*at] != '\n'; ++*at) {
        char c = text[*at];
        comment |= c == '#';
        if (comment || blank(c)) {
            ret->count += length > 0;
            length = 0;
        } else if (!c || ret->count == WORDS || length + 1 == WORD) {
            reason = "no text, too many words, or one that is too long";
        } else {
            ret->word[ret->count][length++] = c;
        }
    }
    ret->count += length > 0;
    *at += *at < size;
    return reason;
}

unsigned table_read(const char *text, size_t size, struct table_service services[TABLE_SERVICES], unsigned *ret_line,
                    const char **ret_reason) {
    struct table table = {.services = services};
    unsigned number = 0;
    size_t at = 0;

    *ret_line = 0;
    while (at < size) {
        struct line line;
        const char *reason = line_cut(text, size, &at, &line);
        number++;
        if (!reason && line.count)
            reason = line_use(&table, &line);
        if (reason && !*ret_line) {
            *ret_line = number;
            *ret_reason = reason;
        }
    }
    return table.count;
}
