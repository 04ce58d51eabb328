/* SPDX-License-Identifier: MIT */
/*
 * Lines in the kernel's log, for services that hold the machine handle with OS2_RIGHT_LOG: the console prints them on
 * lines of their own, with the writer's name, and they are in the log also where there is no console yet.
 */
#ifndef OS2_LOG_H
#define OS2_LOG_H

/* Writes formatted text, at most 199 bytes; it should end with a line end. Without the right nothing is written. */
void os2_log(unsigned machine, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
