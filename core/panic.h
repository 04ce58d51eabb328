/* SPDX-License-Identifier: MIT */
/* A kernel bug ends the machine with one clear line. A program's misuse never comes here. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

/* Print "kernel panic: ..." through the firmware's console and halt this core. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            panic("%s:%d: %s", __FILE__, __LINE__, #condition);                                                        \
    } while (0)

#endif
