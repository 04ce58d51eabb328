/* SPDX-License-Identifier: MIT */
/*
 * Output of a program (os2/stream.h): to the neighbour downstream in blocks that are given away, to a file, or to the
 * console.
 *
 * What is written is collected in a block of the program. For a neighbour it is given away when it is full; for a file
 * it is written then, from a copy, so that nothing is lost with a service or a driver that ends meanwhile. The console
 * gets whole lines in one write each time, so that lines of two programs do not mix; a line that is begun waits for its
 * end, for a flush, or until it fills a page. When the console has ended, what it did not confirm is written again to
 * the next one. The first failure is kept: nothing that is written later could be of use behind a gap.
 */
#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/file.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

#include "usr/lib/start_page.h"

#define OUT_PIPE_ORDER 4u
#define OUT_ECHO_MAX 256u
#define CONSOLE_TRIES 200u /* to find the console that init starts after one has ended */
#define CONSOLE_PAUSE_MS 20u

static struct os2_stream_block out_block;
static int out_status;

/* The path of the file that output goes to; null: it goes to no file. */
static const char *out_file(void) {
    return os2_start_page ? (const char *)(uintptr_t)os2_start_page->output : NULL;
}

bool os2_out_is_pipe(void) {
    return out_file() || os2_start_handle("pipe.out") != 0;
}

/* Writes to the file; the first failure is told. */
static int out_file_write(const void *bytes, uint64_t size) {
    static struct os2_file file;
    static bool opened;
    int status = OS2_OK;

    if (!opened) {
        status = os2_file_open(&file, out_file(), OS2_OPEN_WRITE);
        file.offset = os2_start_page->append ? file.size : 0;
    }
    opened |= status >= 0;
    if (status >= 0)
        status = os2_file_write(&file, bytes, size);
    if (status < 0)
        os2_error("%s: %s", out_file(), os2_status_text(status));
    return status;
}

static int out_send(unsigned pipe, struct os2_stream_block *block);

/* The receiver cannot take a block of this order: gives it copies of half the order instead. */
static int out_split(unsigned pipe, struct os2_stream_block *block) {
    uint64_t at = 0;
    int status = OS2_OK;

    while (at < block->used && status >= 0) {
        struct os2_stream_block piece = {.order = block->order - 1};
        uint64_t room = OS2_PAGE_SIZE << piece.order;
        void *memory;

        status = os2_block_alloc(piece.order, &memory);
        if (status < 0)
            break;
        piece.bytes = memory;
        piece.used = block->used - at < room ? block->used - at : room;
        memcpy(piece.bytes, block->bytes + at, piece.used);
        at += piece.used;
        status = out_send(pipe, &piece);
    }
    os2_block_free(block->bytes);
    block->bytes = NULL;
    return status;
}

/* Gives the block to the neighbour; it is gone in any case. */
static int out_send(unsigned pipe, struct os2_stream_block *block) {
    struct os2_message m = {.label = OS2_STREAM_DATA, .w = {block->used, 0, 0, (uintptr_t)block->bytes}};
    int status = os2_send(pipe, OS2_F_BLOCK, &m);

    if (status < 0 && status != OS2_E_DIED && block->order > 0)
        return out_split(pipe, block);
    if (status < 0)
        os2_block_free(block->bytes);
    block->bytes = NULL;
    return status;
}

/* Asks for the console that has taken the place of one that ended. 0: none does. */
static unsigned console_again(void) {
    unsigned names = os2_start_handle("names"), console;

    for (unsigned tries = 0; names && tries < CONSOLE_TRIES; tries++) {
        os2_sleep_ms(CONSOLE_PAUSE_MS);
        if (os2_names_lookup(names, "console", false, &console) < 0)
            continue;
        if (os2_watch(console, 0) != OS2_E_DIED) /* it is known for a moment longer than it lives */
            return console;
        os2_handle_close(console);
    }
    return 0;
}

static int out_console(const char *bytes, uint64_t used) {
    static unsigned console;
    unsigned flags = 0;
    int status;

    if (!console)
        console = os2_start_handle("console.out");
    if (!console)
        return OS2_OK;
    while ((status = os2_console_write(console, bytes, used, flags, OS2_FOREVER)) == OS2_E_DIED) {
        unsigned next = console_again();
        if (!next)
            break;
        os2_handle_close(console);
        console = next;
        flags = OS2_CONSOLE_FRESH;
    }
    return status;
}

int os2_out_flush(void) {
    unsigned pipe = os2_start_handle("pipe.out");

    if (out_status < 0 || !out_block.bytes || !out_block.used)
        return out_status;
    if (out_file())
        out_status = out_file_write(out_block.bytes, out_block.used);
    else
        out_status = pipe ? out_send(pipe, &out_block) : out_console(out_block.bytes, out_block.used);
    out_block.used = 0;
    return out_status;
}

/* Sends the lines that are whole, and all of it if no line is and the block is full. */
static int out_lines(void) {
    uint64_t end = out_block.used;

    while (end && out_block.bytes[end - 1] != '\n')
        end--;
    if (!end && out_block.used == OS2_PAGE_SIZE << out_block.order)
        end = out_block.used;
    if (end && out_status >= 0) {
        out_status = out_console(out_block.bytes, end);
        out_block.used -= end;
        memmove(out_block.bytes, out_block.bytes + end, out_block.used);
    }
    return out_status;
}

int os2_out_write(const void *bytes, size_t size) {
    bool pipe = os2_out_is_pipe(), line = false;
    const char *from = bytes;

    while (size && out_status >= 0) {
        uint64_t room, part;
        if (!out_block.bytes) {
            void *memory;
            os2_out_pending = os2_out_flush;
            out_block = (struct os2_stream_block){.order = pipe ? OUT_PIPE_ORDER : 0};
            out_status = os2_block_alloc(out_block.order, &memory);
            if (out_status < 0)
                break;
            out_block.bytes = memory;
        }
        room = (OS2_PAGE_SIZE << out_block.order) - out_block.used;
        part = size < room ? size : room;
        memcpy(out_block.bytes + out_block.used, from, part);
        for (uint64_t i = 0; i < part && !pipe && !line; i++)
            line = from[i] == '\n';
        out_block.used += part;
        from += part;
        size -= part;
        if (part == room && pipe)
            os2_out_flush();
        else if (part == room)
            out_lines();
    }
    return line ? out_lines() : out_status;
}

int os2_out_block(struct os2_stream_block *block) {
    unsigned pipe = os2_start_handle("pipe.out");

    os2_out_pending = os2_out_flush;
    if (os2_out_is_pipe()) {
        os2_out_flush();
        if (out_status >= 0 && block->used && !out_file()) {
            out_status = out_send(pipe, block);
            return out_status;
        }
        if (out_status >= 0 && block->used)
            out_status = out_file_write(block->bytes, block->used);
    } else {
        os2_out_write(block->bytes, block->used);
    }
    os2_block_free(block->bytes);
    block->bytes = NULL;
    return out_status;
}

void os2_out_echo(const char *text, size_t length) {
    static char pending[OUT_ECHO_MAX];
    static size_t used;

    if (!text) {
        out_console(pending, used);
        used = 0;
    }
    while (length) {
        size_t part = sizeof(pending) - used < length ? sizeof(pending) - used : length;
        memcpy(pending + used, text, part);
        used += part;
        text += part;
        length -= part;
        if (used == sizeof(pending))
            os2_out_echo(NULL, 0);
    }
}

static void out_put(void *context, const char *text, size_t length) {
    (void)context;
    os2_out_write(text, length);
}

int os2_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    format_out(out_put, NULL, format, arguments);
    va_end(arguments);
    return out_status;
}

static void error_put(void *context, const char *text, size_t length) {
    (void)context;
    os2_out_echo(text, length);
}

void os2_error(const char *format, ...) {
    const struct os2_start_page *page = os2_start_page;
    const char *name = page && page->argc ? *(const char **)(uintptr_t)page->argv : "program";
    va_list arguments;

    if (!os2_out_is_pipe())
        os2_out_flush();
    os2_out_echo(name, strlen(name));
    os2_out_echo(": ", 2);
    va_start(arguments, format);
    format_out(error_put, NULL, format, arguments);
    va_end(arguments);
    os2_out_echo("\n", 1);
    os2_out_echo(NULL, 0);
}
