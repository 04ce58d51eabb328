/* SPDX-License-Identifier: MIT */
/*
 * Input of a program (os2/stream.h): blocks of a file, or from the neighbour upstream, or lines from the console, or
 * nothing.
 *
 * Lines of the console are edited here, in the program that reads them: the console only passes keys on. A program asks
 * for keys one line at a time, so what is typed behind the last line it reads stays for the shell.
 */
#include "os2/call.h"
#include "os2/console.h"
#include "os2/file.h"
#include "os2/lineedit.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "usr/lib/start_page.h"

static bool in_ended;
static struct os2_stream_block in_block; /* being read by os2_in_read */
static uint64_t in_at;                   /* how much of it has been read */

static struct os2_lineedit *in_edit;      /* a block of its own, for those who read lines; null: not yet */
static size_t in_line_at, in_line_length; /* what is left of a finished line, in in_edit->line */

/* The largest order worth accepting: a quarter of the quota that is left, and room for the tables that map it. */
static unsigned in_accept_order(void) {
    uint64_t pages = os2_quota_left() / 4;
    unsigned order = 0;
    while (order < OS2_STREAM_ORDER && (UINT64_C(2) << order) <= pages)
        order++;
    return order;
}

static bool in_is_file(void) {
    return os2_start_page && os2_start_page->input;
}

static int in_file_block(struct os2_stream_block *ret) {
    static struct os2_file file;
    static bool opened;
    unsigned order = in_accept_order();
    int status = OS2_OK;

    if (!opened)
        status = os2_file_open(&file, (const char *)(uintptr_t)os2_start_page->input, OS2_OPEN_READ);
    opened |= status >= 0;
    if (status >= 0)
        status = os2_file_read_block(&file, order, ret);
    in_ended |= status == 0;
    return status;
}

static int in_pipe_block(unsigned pipe, struct os2_stream_block *ret) {
    struct os2_message m = {0};
    int status = os2_receive_from(pipe, OS2_F_MASK | OS2_ACCEPT(in_accept_order()), &m);

    if (status < 0)
        return status;
    if (m.label != OS2_STREAM_DATA || !(m.control & OS2_I_BLOCK)) {
        if (m.control & OS2_I_BLOCK)
            os2_block_free(os2_message_block(&m));
        in_ended = true;
        return m.label == OS2_STREAM_END ? 0 : OS2_E_INVALID;
    }
    ret->bytes = os2_message_block(&m);
    ret->order = os2_message_order(&m);
    ret->used = m.w[0] < OS2_PAGE_SIZE << ret->order ? m.w[0] : OS2_PAGE_SIZE << ret->order;
    return 1;
}

/* The next block of a file or of the neighbour. */
static int in_moved_block(struct os2_stream_block *ret) {
    if (in_ended)
        return 0;
    return in_is_file() ? in_file_block(ret) : in_pipe_block(os2_start_handle("pipe.in"), ret);
}

/* Is the input a file or a neighbour? */
static bool in_moves(void) {
    return in_is_file() || os2_start_handle("pipe.in");
}

static void in_echo(void *context, const char *text, size_t length) {
    (void)context;
    os2_out_echo(text, length);
}

static int in_edit_make(void) {
    void *block;
    int status = os2_block_alloc(os2_order_for(sizeof(*in_edit), OS2_ORDER_MAX), &block);

    if (status < 0)
        return status;
    in_edit = block;
    os2_lineedit_init(in_edit, in_echo, NULL, NULL, 0);
    in_edit->width = os2_start_columns();
    return OS2_OK;
}

/* Reads keys until a line is finished. 1, 0 at the end of input, or a status. */
static int in_console_line(unsigned console) {
    char keys[OS2_CONSOLE_TEXT];

    if (!in_edit) {
        int status = in_edit_make();
        if (status < 0)
            return status;
    }
    os2_out_flush();
    os2_lineedit_begin(in_edit, "");
    for (;;) {
        enum os2_line_event event = OS2_LINE_MORE;
        int count = os2_console_read(console, OS2_CONSOLE_LINE, keys);

        if (count < 0)
            return count;
        for (int i = 0; i < count && event == OS2_LINE_MORE; i++)
            event = os2_lineedit_key(in_edit, keys[i]);
        os2_out_echo(NULL, 0);
        if (event == OS2_LINE_DONE) {
            in_edit->line[in_edit->length] = '\n'; /* room: the array holds one byte more than the longest line */
            in_line_at = 0;
            in_line_length = in_edit->length + 1;
            return 1;
        }
        if (event == OS2_LINE_END) {
            in_ended = true;
            return 0;
        }
        if (event == OS2_LINE_CANCEL)
            os2_lineedit_begin(in_edit, "");
    }
}

static int64_t in_console_read(unsigned console, void *buffer, size_t size) {
    size_t part;

    if (in_line_at == in_line_length) {
        int status = in_console_line(console);
        if (status <= 0)
            return status;
    }
    part = in_line_length - in_line_at < size ? in_line_length - in_line_at : size;
    memcpy(buffer, in_edit->line + in_line_at, part);
    in_line_at += part;
    return (int64_t)part;
}

int os2_in_block(struct os2_stream_block *ret_block) {
    unsigned console = os2_start_handle("console.in");
    struct os2_stream_block block = {0};
    int64_t count;
    void *page;
    int status;

    if (in_block.bytes) {
        *ret_block = in_block;
        ret_block->used -= in_at;
        memmove(ret_block->bytes, ret_block->bytes + in_at, ret_block->used);
        in_block.bytes = NULL;
        return 1;
    }
    if (in_moves())
        return in_moved_block(ret_block);
    if (in_ended || !console)
        return 0;
    status = os2_block_alloc(0, &page);
    if (status < 0)
        return status;
    block.bytes = page;
    count = in_console_read(console, page, OS2_PAGE_SIZE);
    if (count <= 0) {
        os2_block_free(page);
        return (int)count;
    }
    block.used = (uint64_t)count;
    *ret_block = block;
    return 1;
}

int64_t os2_in_read(void *buffer, size_t size) {
    unsigned console = os2_start_handle("console.in");
    uint64_t part;

    if (!in_moves())
        return in_ended || !console ? 0 : in_console_read(console, buffer, size);
    while (!in_block.bytes) {
        int status = in_moved_block(&in_block);
        if (status <= 0)
            return status;
        in_at = 0;
        if (in_block.used == 0) {
            os2_block_free(in_block.bytes);
            in_block.bytes = NULL;
        }
    }
    part = in_block.used - in_at < size ? in_block.used - in_at : size;
    memcpy(buffer, in_block.bytes + in_at, part);
    in_at += part;
    if (in_at == in_block.used) {
        os2_block_free(in_block.bytes);
        in_block.bytes = NULL;
    }
    return (int64_t)part;
}
