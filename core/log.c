/* SPDX-License-Identifier: MIT */
/*
 * The log is a ring of bytes. Until a process reads it, each line also goes to the firmware's console at once: that is
 * slow (some 340 instructions a character), but it is how a board that dies early is diagnosed. From the first read on,
 * the kernel writes to the console only when it panics; the reader is told by a notification that there is more.
 *
 * When the ring is full the oldest bytes are lost, and their number is said in the next line.
 *
 * Who may write. Programs that init gives the right to: a machine handle with OS2_RIGHT_LOG. So whoever is not trusted
 * with it can neither make the kernel's lines be lost nor hide them among others. What those write cannot pass for the
 * kernel's, or for one another's: the kernel puts the writer's name and slot before each line, a line that another one
 * has begun is ended first, and what moves a terminal's cursor is replaced. A line that begins with '[' is the
 * kernel's.
 *
 * Rejected: a ring for each (order is lost, and a third program still loses the second one's lines); a budget for each
 * process (there are as many processes as somebody likes to make).
 */
#include "core/log.h"

#include "core/machine.h"
#include "core/process.h"
#include "lib/format.h"

static void put(struct log *log, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        log->ring[log->written++ % LOG_SIZE] = text[i];
        log->at_line_start = text[i] == '\n';
    }
    if (log->written - log->read > LOG_SIZE) {
        log->lost += log->written - log->read - LOG_SIZE;
        log->read = log->written - LOG_SIZE;
    }
    if (!log->drained) {
        arch_console_write(text, length);
        log->read = log->written; /* it has been shown */
    }
}

/* What comes next is this one's: no line that somebody else has begun goes on. */
static void begin(struct log *log, uint64_t writer) {
    if (log->writer != writer && !log->at_line_start && log->written)
        put(log, "\n", 1);
    log->writer = writer;
    if (log->lost && log->at_line_start) {
        char lost[64];
        uint64_t bytes = log->lost;
        log->lost = 0;
        put(log, lost, format(lost, sizeof lost, "[log: %lu bytes lost]\n", bytes));
    }
}

/* Put `text` and a newline behind the `n` bytes that a line of this size has. Returns how many it has then. */
static size_t end_line(char *line, size_t size, size_t n, const char *text, va_list list) {
    n += format_list(line + n, size - n - 1, text, list);
    if (n > size - 2)
        n = size - 2;
    line[n++] = '\n';
    return n;
}

void log_line(const char *text, ...) {
    char line[200];
    uint64_t us = machine.clock_hz ? (arch_clock() - machine.boot_time) * 1000000 / machine.clock_hz : 0;
    const struct core *core = arch_core();
    size_t n = format(line, sizeof line, "[%3lu.%06lu core%u] ", us / 1000000, us % 1000000, core ? core->index : 0);
    va_list list;
    va_start(list, text);
    n = end_line(line, sizeof line, n, text, list);
    va_end(list);

    struct log *log = &machine.log;
    lock_acquire(&log->lock);
    begin(log, 0);
    if (!log->at_line_start && log->written)
        put(log, "\n", 1);
    put(log, line, n);
    lock_release(&log->lock);
}

/* A character that a program may write. */
static char plain(char c) {
    return c >= ' ' && c <= '~' ? c : '?';
}

void log_text(const char name[16], unsigned slot, uint64_t writer, const char *text, size_t length) {
    char prefix[32];
    size_t n = 0;
    for (; n < 16 && name[n]; n++)
        prefix[n] = name[n] == '[' ? '?' : plain(name[n]);
    n += format(prefix + n, sizeof prefix - n, "(%u): ", slot);

    struct log *log = &machine.log;
    lock_acquire(&log->lock);
    begin(log, writer);
    for (size_t i = 0; i < length; i++) {
        char c = text[i] == '\n' || text[i] == '\t' ? text[i] : plain(text[i]);
        if ((log->at_line_start || !log->written) && c != '\n')
            put(log, prefix, n);
        put(log, &c, 1);
    }
    lock_release(&log->lock);
}

size_t log_read(char *to, size_t size) {
    struct log *log = &machine.log;
    size_t n = 0;
    lock_acquire(&log->lock);
    log->drained = true;
    while (n < size && log->read < log->written)
        to[n++] = log->ring[log->read++ % LOG_SIZE];
    lock_release(&log->lock);
    return n;
}

void log_set_reader(const struct log_reader *reader) {
    struct log *log = &machine.log;
    lock_acquire(&log->lock);
    log->reader = *reader;
    lock_release(&log->lock);
}

bool log_wants_reader(struct log_reader *ret_reader) {
    struct log *log = &machine.log;
    lock_acquire(&log->lock);
    bool wants = log->written != log->read && log->reader.bits;
    if (wants) {
        *ret_reader = log->reader;
        log->reader.bits = 0; /* once, until it reads again */
    }
    lock_release(&log->lock);
    return wants;
}

void panic(const char *text, ...) {
    char line[240];
    va_list list;
    size_t n = format(line, sizeof line, "\nkernel panic: ");
    va_start(list, text);
    n = end_line(line, sizeof line, n, text, list);
    va_end(list);
    /* Pairs with the look in ipi_arrived(): a core that is sent for sees that it is to stop. */
    const struct core *core = arch_core();
    uint64_t me = 1 + (core ? core->index : 0);
    if (arch_cas_full(&machine.panicked, 0, me))
        arch_stop_others();
    else if (__atomic_load_n(&machine.panicked, __ATOMIC_RELAXED) != me)
        arch_halt();
    arch_console_write(line, n);
    if (machine.panic_restarts)
        arch_restart();
    arch_halt();
}
