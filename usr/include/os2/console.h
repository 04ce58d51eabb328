/* SPDX-License-Identifier: MIT */
/*
 * The console's protocol. The service is registered as "console". Every request is a call.
 *
 * LABEL is the operation in its low 8 bits; for CONSOLE_WRITE also a length << 8 and flags.
 *
 *   WRITE        length << 8 bytes (1 .. 40) of text in the words. The answer comes when the UART has taken the
 *                last byte. With OS2_CONSOLE_FRESH, the text starts on a fresh line.
 *   WRITE_BLOCK  a block (up to order OS2_CONSOLE_ORDER) and W0 = how many of its bytes; it comes back in the answer
 *                if the caller accepts it, else it is freed. LABEL of the answer: 0, or OS2_E_BUSY for "again later".
 *   READ         answered, when there is input, with LABEL = count (1 .. 40) and the bytes in the words. Readers are
 *                served in the order they came. W0 = OS2_CONSOLE_POLL: answer at once, maybe with count 0;
 *                OS2_CONSOLE_LINE: no byte behind the first \r, \n or ^D, so that what a reader of lines does not
 *                use is left for the next reader. Not through a handle with badge OS2_CONSOLE_CLIENT: that is what
 *                everybody gets, to write, and from the name service.
 *   INTERRUPT    with a notify handle and W0 = bits: from now on a typed ^C is not input, but sets these bits through
 *                the handle. Without one: ^C is input again. Only through a handle with badge OS2_CONSOLE_OWNER.
 *   FLUSH        answered when all output has left the UART.
 */
#ifndef OS2_CONSOLE_H
#define OS2_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

enum os2_console_operation {
    OS2_CONSOLE_WRITE = 1,
    OS2_CONSOLE_WRITE_BLOCK,
    OS2_CONSOLE_READ,
    OS2_CONSOLE_INTERRUPT,
    OS2_CONSOLE_FLUSH
};
#define OS2_CONSOLE_OPERATION_MASK 0xffu
#define OS2_CONSOLE_LENGTH_SHIFT 8
#define OS2_CONSOLE_LENGTH_MASK 0xffu
#define OS2_CONSOLE_FRESH (1u << 16)
#define OS2_CONSOLE_POLL 1u
#define OS2_CONSOLE_LINE 2u
#define OS2_CONSOLE_TEXT 40u /* bytes in the words of one message */
#define OS2_CONSOLE_ORDER 4u

#define OS2_CONSOLE_OWNER 0u  /* the badge of the handle the console registered */
#define OS2_CONSOLE_CLIENT 1u /* the badge of the handles it is handed on with to those who write, */
#define OS2_CONSOLE_READER 2u /* and to those who read too */

/*
 * Writes text, until `deadline` at the latest (OS2_FOREVER: no limit). Text of up to a page is one write: no other
 * writer's comes between, as long as there is memory for a block. OS2_E_DIED: what the console had taken may be lost.
 */
int os2_console_write(unsigned console, const char *text, size_t length, unsigned flags, uint64_t deadline);

/* Reads at most OS2_CONSOLE_TEXT bytes; `flags` are those of READ. Returns the count or a status. */
int os2_console_read(unsigned console, unsigned flags, char bytes[OS2_CONSOLE_TEXT]);

/* Turns ^C into these bits of a notify handle; handle 0: ^C is input again. */
int os2_console_interrupt(unsigned console, unsigned notify, uint64_t bits);

/* Waits until all output has left the machine, at most until `deadline`. */
int os2_console_flush(unsigned console, uint64_t deadline);

#endif
