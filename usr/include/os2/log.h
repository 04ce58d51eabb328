/* SPDX-License-Identifier: MIT */
/*
 * Lines in the kernel's log, for services: the console prints them on lines of their own, and they are in the log also
 * where there is no console yet.
 */
#ifndef OS2_LOG_H
#define OS2_LOG_H

/* Writes formatted text, at most 199 bytes; it should end with a line end. */
void os2_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
