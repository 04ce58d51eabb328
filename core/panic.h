/* SPDX-License-Identifier: MIT */
/* A kernel bug ends the machine with one clear line. A program's misuse never comes here. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

/* Stop all other cores, print "kernel panic: ..." through the firmware's console and halt this core. The first core to
 * come speaks; one that comes later says nothing. A panic of the first core within its panic is printed too. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            panic("%s:%d: %s", __FILE__, __LINE__, #condition);                                                        \
    } while (0)

#endif
