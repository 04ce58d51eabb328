/* SPDX-License-Identifier: MIT */
/*
 * top: what the machine does, once a second, until q.
 *
 * A core's bar is the part of the second in which it was not idle. Of processes the kernel counts tokens (system calls,
 * by their weight) and turns, not time; the bar is a process's part of all turns.
 */
#include "lib/format.h"
#include "os2/call.h"
#include "os2/screen.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"
#include "os2/tool.h"

#define CORES 64u
#define SLOTS 512u
#define BAR 14u
#define SECOND_NS UINT64_C(1000000000)

/* What a second ago was so, and what changed since. */
static struct process {
    uint64_t id, tokens, turns, tokens_now, turns_now;
    bool there;
    struct os2_process_facts facts;
} processes[SLOTS];
static uint64_t idle_before[CORES], ticks_before;
static unsigned machine, rows, columns;

/* A bar of BAR columns that is full at `whole`. */
static const char *bar(uint64_t part, uint64_t whole, char text[BAR + 1]) {
    unsigned full = whole ? (unsigned)((part * BAR + whole / 2) / whole) : 0;

    for (unsigned i = 0; i < BAR; i++)
        text[i] = i < full ? '#' : '.';
    text[BAR] = 0;
    return text;
}

/* Prints a row of text, if there is room for it on the screen. */
static void row_print(unsigned *row, const char *text) {
    if (*row + 1 >= rows)
        return;
    os2_screen_go((*row)++, 0);
    os2_printf("%.*s", (int)columns - 1, text);
    os2_screen_clear_row();
}

static void cores_show(unsigned *row, uint64_t cores) {
    uint64_t ticks = os2_clock(NULL), whole = ticks - ticks_before;
    char text[128], picture[BAR + 1];

    for (uint64_t i = 0; i < cores && i < CORES; i++) {
        struct os2_message m;
        uint64_t idle, busy;
        if (os2_machine_info(machine, OS2_MACHINE_CORE, i, &m) < 0 || !m.caller)
            continue;
        idle = m.w[2] - idle_before[i];
        idle_before[i] = m.w[2];
        busy = idle < whole ? whole - idle : 0;
        format(text, sizeof(text), "core %2lu [%s] %3lu%%", i, bar(busy, whole, picture), busy * 100 / whole);
        row_print(row, text);
    }
    ticks_before = ticks;
}

/* Looks at all processes. Returns the turns that all of them had since the last look. */
static uint64_t processes_look(uint64_t slots) {
    uint64_t all = 0;

    for (uint64_t i = 0; i < slots && i < SLOTS; i++) {
        struct process *p = &processes[i];
        p->there = os2_process_facts(machine, (unsigned)i, &p->facts) >= 0 && p->facts.state != OS2_STATE_FREE;
        if (!p->there)
            continue;
        if (p->id != p->facts.id)
            *p = (struct process){.id = p->facts.id, .there = true, .facts = p->facts};
        p->tokens_now = p->facts.tokens - p->tokens;
        p->turns_now = p->facts.turns - p->turns;
        p->tokens = p->facts.tokens;
        p->turns = p->facts.turns;
        all += p->turns_now;
    }
    return all;
}

/* The process with the most turns that has not been shown; null: all have been. */
static struct process *processes_next(void) {
    struct process *most = NULL;

    for (unsigned i = 0; i < SLOTS; i++)
        if (processes[i].there && (!most || processes[i].turns_now > most->turns_now))
            most = &processes[i];
    return most;
}

static void processes_show(unsigned *row, uint64_t all) {
    char text[128], picture[BAR + 1], size[OS2_TOOL_SIZE];
    struct process *p;

    format(text, sizeof(text), "%4s %-16s %-8s %4s %6s %9s %9s", "ID", "NAME", "STATE", "CORE", "MEMORY", "TOKENS/s",
           "TURNS/s");
    row_print(row, text);
    while ((p = processes_next())) {
        const struct os2_process_facts *f = &p->facts;
        char core[12] = "-";

        if (f->state == OS2_STATE_RUNNING || f->state == OS2_STATE_READY)
            format(core, sizeof(core), "%u", f->core);
        format(text, sizeof(text), "%4lu %-16s %-8s %4s %6s %9lu %9lu [%s]", f->id & OS2_ID_SLOT_MASK, f->name,
               os2_state_text(f->state), core,
               os2_tool_size(((uint64_t)f->pages + f->tables + f->objects) << OS2_PAGE_SHIFT, size), p->tokens_now,
               p->turns_now, bar(p->turns_now, all, picture));
        row_print(row, text);
        p->there = false;
    }
}

static void show(const struct os2_message *about) {
    uint64_t rate, seconds = os2_clock(&rate), all = processes_look(about->w[0]);
    char text[128], size[OS2_TOOL_SIZE];
    unsigned row = 0;

    seconds /= rate;
    format(text, sizeof(text), "up %lu:%02lu:%02lu, %s of RAM; q: quit", seconds / 3600, seconds / 60 % 60,
           seconds % 60, os2_tool_size(about->w[3] << OS2_PAGE_SHIFT, size));
    row_print(&row, text);
    cores_show(&row, about->label);
    processes_show(&row, all);
    os2_printf("\x1b[J");
    os2_out_flush();
}

int main(void) {
    struct os2_message about;
    int key = 0, status;

    machine = os2_start_handle("machine");
    if (!machine || os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &about) < 0) {
        os2_error("no handle to look at the machine with");
        return 1;
    }
    status = os2_screen_begin(&rows, &columns);
    if (status < 0)
        return os2_tool_failed("the console", status);
    while (key != 'q' && key >= 0) {
        uint64_t end = os2_now_ns() + SECOND_NS, now;
        show(&about);
        while (key != 'q' && key >= 0 && (now = os2_now_ns()) < end)
            key = os2_screen_key((end - now) / 1000000 + 1);
    }
    os2_screen_end(rows);
    return key < 0;
}
