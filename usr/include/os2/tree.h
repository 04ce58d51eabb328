/* SPDX-License-Identifier: MIT */
/* The console's UART, as a device tree describes it (lib/fdt.h). */
#ifndef OS2_TREE_H
#define OS2_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fdt.h"

enum os2_uart_kind {
    OS2_UART_NONE,
    OS2_UART_NS16550,
    OS2_UART_DW_APB,
    OS2_UART_SIFIVE,
    OS2_UART_FIRMWARE /* in no tree: whatever UART the firmware's console has */
};

struct os2_tree_uart {
    enum os2_uart_kind kind;
    uint64_t base, size;
    bool ports;        /* base is the number of an I/O port */
    unsigned shift;    /* registers are 1 << shift bytes apart */
    unsigned io_width; /* 1 or 4 bytes an access */
    unsigned irq;      /* the kernel's number of its interrupt, 0: none; then it is to be polled */
    bool irq_foreign;  /* it has one, but of a controller that is not the kernel's, or not to be found out */
};

/* The UART of the console: /chosen/stdout-path (through /aliases, ":options" cut), else the first one known. */
bool os2_tree_console(const struct fdt *tree, struct os2_tree_uart *ret_uart);

#endif
