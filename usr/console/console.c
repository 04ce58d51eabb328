/* SPDX-License-Identifier: MIT */
/*
 * The console: the driver of the UART and the service that everyone prints through (os2/console.h).
 *
 * One loop: receive a message, bits, or both; move bytes; answer those whose work is done. Nothing waits anywhere else.
 * Writers and readers that cannot be answered at once stand in two queues of fixed length; one too many is told to come
 * again. A process that waits for its answer has one place; one whose deadline passes leaves its place behind. A
 * writer's text stays in its block (or in its queue entry) until the output ring has room, so a program cannot print
 * faster than the UART sends, and the console's memory has a bound. One write is never cut by another. It is answered
 * when the UART has taken its last byte, not when the ring has: so what is lost when the console ends was not answered,
 * and its writer knows.
 *
 * The kernel's log is drained whenever the kernel says that there is more, and printed line by line between two
 * writers, on a line of its own.
 *
 * Arguments: kind of UART, address of its registers (or first port), their spacing as a shift, width of an access (0:
 * ports). Handles: "irq", "machine" with the right to read the log and, where it has no UART, to use the firmware's
 * console, "init", for ports "ports".
 */
#include "os2/console.h"

#include "console/terminal.h"
#include "os2/call.h"
#include "os2/interrupt.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"
#include "os2/tree.h"

#define WRITERS 32u
#define READERS 32u
#define BIT_IRQ 1u
#define BIT_LOG 2u
#define BIT_NAMES 4u
#define FLUSH_POLL_MS 1u /* the last byte leaving the shift register raises no interrupt */
#define UART_POLL_MS 1u  /* for a UART without an interrupt: 12 bytes at 115200 baud, of 16 that fit its FIFO */
#define LOG_ROOM (2 * sizeof(log_lines) + LINE_SIZE + 8) /* line ends are two bytes; the line begun is shown again */
#define NAMES_RETRY_MS 200u

struct writer {
    uint64_t caller;
    enum os2_console_operation operation;
    bool fresh;
    void *block; /* null: the text is in `text` */
    size_t length, done;
    uint64_t end; /* of the output, behind its last byte, once all of it is in the ring */
    char text[OS2_CONSOLE_TEXT];
};

struct reader {
    uint64_t caller;
    bool line;
};

static struct terminal terminal;
static struct uart uart;
static struct os2_interrupt uart_interrupt;
static struct writer writers[WRITERS];
static unsigned writer_first, writer_count;
static unsigned writer_filled; /* of these, from the first on: all of their text is in the ring */
static struct reader readers[READERS];
static unsigned reader_first, reader_count;
static unsigned interrupt_handle;
static uint64_t interrupt_bits;
static unsigned machine;
static char log_lines[512];      /* read from the log and not printed yet */
static size_t log_used, log_end; /* bytes in it, and those up to the last line end */
static bool log_more, registered;

/* ^C: the bits that were asked for. */
static bool console_interrupt(void) {
    if (!interrupt_handle)
        return false;
    if (os2_notify(interrupt_handle, interrupt_bits) >= 0)
        return true;
    os2_handle_close(interrupt_handle);
    interrupt_handle = 0;
    return false;
}

/* Answers a writer whose text is out; gives its block back, or frees it. */
static void writer_answer(struct writer *w) {
    struct os2_message m = {.caller = w->caller, .w = {[3] = (uintptr_t)w->block}};

    if (w->block) {
        int status = os2_reply(OS2_F_BLOCK, &m);
        if (status >= 0)
            return;
        os2_block_free(w->block);
        m = (struct os2_message){.caller = w->caller};
    }
    os2_reply(0, &m);
}

/* Moves the first writer on. True: it is done. */
static bool writer_step(struct writer *w) {
    if (w->operation == OS2_CONSOLE_FLUSH)
        return terminal_idle(&terminal);
    if (w->fresh && !terminal_fresh_line(&terminal))
        return false;
    w->fresh = false;
    w->done += terminal_write(&terminal, (w->block ? (const char *)w->block : w->text) + w->done, w->length - w->done);
    return w->done == w->length;
}

/*
 * Prints what the kernel's log has, as far as there is room. Not inside a line that a program has begun, but a prompt
 * that waits for keys is no obstacle: it is shown again behind the log.
 */
static void console_log(void) {
    while (log_more && (terminal_line_start(&terminal) || reader_count) &&
           OUTPUT_SIZE - terminal.output_used > LOG_ROOM) {
        char text[OS2_LOG_CHUNK];
        unsigned length = 0;

        if (os2_log_read(machine, BIT_LOG, text, &length) < 0 || !length)
            log_more = false;
        for (unsigned i = 0; i < length; i++) {
            log_lines[log_used++] = text[i];
            log_end = text[i] == '\n' ? log_used : log_end;
        }
        if (log_used > sizeof(log_lines) - OS2_LOG_CHUNK && !log_end)
            log_end = log_used; /* a line longer than any should be */
        if (!log_end || (log_more && log_used <= sizeof(log_lines) - OS2_LOG_CHUNK))
            continue;
        terminal_interject(&terminal, log_lines, log_end);
        memmove(log_lines, log_lines + log_end, log_used - log_end);
        log_used -= log_end;
        log_end = 0;
    }
}

/*
 * Moves the texts of those who wait into the ring, in their order, and answers those whose text the UART has taken. A
 * text larger than the ring goes on as long as the UART takes bytes: an empty ring asks for no interrupt.
 */
static void console_output(void) {
    bool moved = true;

    while (moved) {
        struct writer *next = &writers[(writer_first + writer_filled) % WRITERS];
        uint64_t written = terminal.written;

        if (writer_filled == writer_count || next->done == 0)
            console_log();
        if (writer_filled < writer_count && writer_step(next)) {
            next->end = terminal.written;
            writer_filled++;
        }
        terminal_pump(&terminal);
        moved = terminal.written != written;
        for (; writer_filled && terminal_sent(&terminal) >= writers[writer_first].end; writer_filled--) {
            writer_answer(&writers[writer_first]);
            writer_first = (writer_first + 1) % WRITERS;
            writer_count--;
            moved = true;
        }
    }
}

/* Gives input to those who wait. A reader that has gone meanwhile is dropped, and the next one gets the bytes. */
static void console_input(void) {
    while (reader_count && terminal.input_used) {
        struct reader *r = &readers[reader_first];
        struct os2_message m = {.caller = r->caller};
        char bytes[OS2_CONSOLE_TEXT] = {0};
        size_t count = terminal_peek(&terminal, bytes, sizeof(bytes), r->line);

        m.label = count;
        memcpy(m.w, bytes, sizeof(bytes));
        if (os2_reply(0, &m) >= 0)
            terminal_take(&terminal, count);
        reader_first = (reader_first + 1) % READERS;
        reader_count--;
    }
}

static int serve_write(const struct os2_message *m, void *block) {
    unsigned operation = m->label & OS2_CONSOLE_OPERATION_MASK;
    struct writer *w = &writers[(writer_first + writer_count) % WRITERS];

    if (writer_count == WRITERS)
        return OS2_E_BUSY;
    *w = (struct writer){.caller = m->caller, .operation = operation, .fresh = (m->label & OS2_CONSOLE_FRESH) != 0};
    if (operation == OS2_CONSOLE_WRITE) {
        w->length = m->label >> OS2_CONSOLE_LENGTH_SHIFT & OS2_CONSOLE_LENGTH_MASK;
        if (w->length < 1 || w->length > OS2_CONSOLE_TEXT)
            return OS2_E_INVALID;
        memcpy(w->text, m->w, w->length);
    } else if (operation == OS2_CONSOLE_WRITE_BLOCK) {
        if (!block || m->w[0] > OS2_PAGE_SIZE << os2_message_order(m))
            return OS2_E_INVALID;
        w->length = m->w[0];
        w->block = block;
    }
    writer_count++;
    return OS2_OK;
}

static int serve_read(const struct os2_message *m) {
    if (m->badge == OS2_CONSOLE_CLIENT)
        return OS2_E_RIGHTS;
    if (m->w[0] & OS2_CONSOLE_POLL && !terminal.input_used) {
        struct os2_message none = {.caller = m->caller};
        os2_reply(0, &none);
        return OS2_OK;
    }
    if (reader_count == READERS)
        return OS2_E_BUSY;
    readers[(reader_first + reader_count) % READERS] =
        (struct reader){.caller = m->caller, .line = (m->w[0] & OS2_CONSOLE_LINE) != 0};
    reader_count++;
    return OS2_OK;
}

static int serve_interrupt(const struct os2_message *m, unsigned handle) {
    struct os2_message done = {.caller = m->caller};

    if (m->badge != OS2_CONSOLE_OWNER)
        return OS2_E_RIGHTS;
    if (interrupt_handle)
        os2_handle_close(interrupt_handle);
    interrupt_handle = handle;
    interrupt_bits = m->w[0];
    os2_reply(0, &done);
    return OS2_OK;
}

/* Takes one request. What came with it and is not used goes back to the kernel, except a block for another try. */
static void serve(const struct os2_message *m) {
    void *block = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL;
    unsigned handle = m->control & OS2_I_HANDLE ? (unsigned)m->w[2] : 0;
    int status = OS2_E_INVALID;

    if (m->caller) {
        switch (m->label & OS2_CONSOLE_OPERATION_MASK) {
        case OS2_CONSOLE_WRITE:
        case OS2_CONSOLE_FLUSH:
            status = serve_write(m, NULL);
            break;
        case OS2_CONSOLE_WRITE_BLOCK:
            status = serve_write(m, block);
            if (status >= 0)
                block = NULL;
            break;
        case OS2_CONSOLE_READ:
            status = serve_read(m);
            break;
        case OS2_CONSOLE_INTERRUPT:
            status = serve_interrupt(m, handle);
            if (status >= 0)
                handle = 0;
            break;
        }
    }
    if (handle)
        os2_handle_close(handle);
    if (m->caller && status == OS2_E_BUSY && block) {
        /* Too many writers: the block goes back, so that the writer can try again. */
        struct os2_message back = {.caller = m->caller, .label = (uint64_t)(int64_t)status, .w = {[3] = m->w[3]}};
        if (os2_reply(OS2_F_BLOCK, &back) >= 0)
            return;
    }
    if (block)
        os2_block_free(block);
    if (m->caller && status < 0)
        os2_reply_fail(m->caller, status);
}

static bool console_start(int argc, char **argv) {
    uint64_t value[4];

    if (argc != 5)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (!os2_string_number(argv[i + 1], &value[i]))
            return false;
    uart = (struct uart){.base = value[1], .shift = (unsigned)value[2], .width = (unsigned)value[3]};
    uart.dw_apb = value[0] == OS2_UART_DW_APB;
    uart.machine = machine;
    uart.driver = value[0] == OS2_UART_SIFIVE     ? &uart_sifive
                  : value[0] == OS2_UART_FIRMWARE ? &uart_firmware
                                                  : &uart_ns16550;
    if (!uart.width && os2_port_grant(os2_start_handle("ports")) < 0)
        return false;
    terminal_start(&terminal, &uart, console_interrupt);
    return true;
}

/* How long the loop may wait when nothing comes. */
static uint64_t console_deadline(void) {
    bool flushing = writer_count && writers[writer_first].operation == OS2_CONSOLE_FLUSH;
    uint64_t deadline;

    if (flushing && terminal.output_used == 0)
        return os2_deadline_ms(FLUSH_POLL_MS);
    deadline = os2_interrupt_deadline(&uart_interrupt);
    return registered || deadline != OS2_FOREVER ? deadline : os2_deadline_ms(NAMES_RETRY_MS);
}

int main(int argc, char **argv) {
    uint64_t moved = 0; /* bytes at the last interrupt */

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    machine = os2_start_handle("machine");
    if (!console_start(argc, argv))
        return 1;
    os2_interrupt_open(&uart_interrupt, uart.driver == &uart_firmware ? "the firmware's console" : "the UART", machine,
                       os2_start_handle("irq"), BIT_IRQ, UART_POLL_MS);
    log_more = true;
    console_output();
    registered = os2_names_serve("console", BIT_NAMES) >= 0;

    for (;;) {
        struct os2_message m = {.w = {[4] = console_deadline()}};
        int status = os2_receive(OS2_F_DEADLINE | OS2_F_ACCEPT_HANDLE | OS2_ACCEPT(OS2_CONSOLE_ORDER), &m);
        uint64_t bits = status >= 0 && (m.control & OS2_I_BITS) ? m.bits : 0;

        if (bits & BIT_IRQ)
            uart.driver->interrupt(&uart);
        if (bits & BIT_LOG)
            log_more = true;
        if (status >= 0 && (m.control & OS2_I_MESSAGE))
            serve(&m);
        terminal_pump(&terminal);
        console_input();
        console_output();
        if (bits & BIT_IRQ) {
            os2_interrupt_served(&uart_interrupt, terminal.moved != moved);
            moved = terminal.moved;
        }
        if (bits & BIT_NAMES || !registered)
            registered = os2_names_serve("console", BIT_NAMES) >= 0;
    }
}
