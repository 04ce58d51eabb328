/* SPDX-License-Identifier: MIT */
/*
 * Output of a program (os2/stream.h): to the neighbour downstream in blocks that are given away, or to the console.
 *
 * What is written is collected in a block of the program. For a neighbour it is given away when it is full; for the
 * console it goes there and comes back, or only its text goes where that is short. The first failure is kept: nothing
 * that is written later could be of use behind a gap.
 */
#include "os2/call.h"
#include "os2/console.h"
#include "os2/format.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"

#include "lib/start_page.h"

#define OUT_PIPE_ORDER 4u
#define OUT_TEXT_MAX 120u /* text up to this goes to the console in words: three calls */

static struct os2_stream_block out_block;
static int out_status;

bool os2_out_is_pipe(void) {
    return os2_start_handle("pipe.out") != 0;
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

/* Writes a block to the console and leaves it with the caller, or null. */
static int out_console(unsigned console, void **block, unsigned order, const char *bytes, uint64_t used) {
    if (used <= OUT_TEXT_MAX)
        return os2_console_write(console, bytes, used, 0, OS2_FOREVER);
    return os2_console_write_block(console, block, order, used);
}

int os2_out_flush(void) {
    unsigned pipe = os2_start_handle("pipe.out"), console = os2_start_handle("console.out");

    if (out_status < 0 || !out_block.bytes || !out_block.used)
        return out_status;
    if (pipe) {
        out_status = out_send(pipe, &out_block);
    } else if (console) {
        void *block = out_block.bytes;
        out_status = out_console(console, &block, out_block.order, out_block.bytes, out_block.used);
        out_block.bytes = block;
    }
    out_block.used = 0;
    return out_status;
}

int os2_out_write(const void *bytes, size_t size) {
    bool pipe = os2_out_is_pipe(), line = false;
    const char *from = bytes;

    while (size && out_status >= 0) {
        uint64_t room, part;
        if (!out_block.bytes) {
            void *memory;
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
        if (part == room)
            os2_out_flush();
    }
    return line ? os2_out_flush() : out_status;
}

/* Writes a large block to the console in pieces that it accepts. */
static int out_console_pieces(unsigned console, const struct os2_stream_block *from) {
    unsigned order = from->order < OS2_CONSOLE_ORDER ? from->order : OS2_CONSOLE_ORDER;
    uint64_t room = OS2_PAGE_SIZE << order;
    void *piece;
    int status = os2_block_alloc(order, &piece);

    for (uint64_t at = 0; at < from->used && status >= 0; at += room) {
        uint64_t part = from->used - at < room ? from->used - at : room;
        memcpy(piece, from->bytes + at, part);
        status = os2_console_write_block(console, &piece, order, part);
        if (!piece)
            return status;
    }
    if (status >= 0)
        os2_block_free(piece);
    return status;
}

int os2_out_block(struct os2_stream_block *block) {
    unsigned pipe = os2_start_handle("pipe.out"), console = os2_start_handle("console.out");
    void *memory = block->bytes;

    os2_out_flush();
    if (out_status >= 0 && pipe && block->used) {
        out_status = out_send(pipe, block);
        memory = NULL;
    } else if (out_status >= 0 && console && block->used) {
        if (block->order > OS2_CONSOLE_ORDER)
            out_status = out_console_pieces(console, block);
        else
            out_status = out_console(console, &memory, block->order, block->bytes, block->used);
    }
    if (memory)
        os2_block_free(memory);
    block->bytes = NULL;
    return out_status;
}

void os2_out_end(void) {
    unsigned pipe = os2_start_handle("pipe.out");

    os2_out_flush();
    if (pipe && out_status >= 0) {
        struct os2_message m = {.label = OS2_STREAM_END};
        os2_send(pipe, 0, &m);
    }
}

void os2_out_echo(const char *text, size_t length) {
    static char pending[OS2_CONSOLE_TEXT * 3];
    static size_t used;
    unsigned console = os2_start_handle("console.out");

    if (!text) {
        os2_console_write(console, pending, used, 0, OS2_FOREVER);
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
    os2_format(out_put, NULL, format, arguments);
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
    os2_format(error_put, NULL, format, arguments);
    va_end(arguments);
    os2_out_echo("\n", 1);
    os2_out_echo(NULL, 0);
}
