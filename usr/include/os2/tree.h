/* SPDX-License-Identifier: MIT */
/* Devices, as a device tree describes them (lib/fdt.h): the console's UART, and whose interrupts they have. */
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

/* Where a device is: the first of its registers, or of its ports. */
struct os2_tree_place {
    uint64_t base, size;
    bool ports; /* base is the number of an I/O port */
};

/* False: the tree does not say, or no bus maps it. */
bool os2_tree_place(const struct fdt *tree, const struct fdt_node *node, struct os2_tree_place *ret_place);

/* The kernel's number of the node's first interrupt; 0 where it has none that the kernel hears of. *ret_foreign: it has
 * one, of somebody else. */
unsigned os2_tree_irq(const struct fdt *tree, const struct fdt_node *node, bool *ret_foreign);

/* The same of a function on a PCI host bridge's first bus: `pin` is 1 to 4. */
unsigned os2_tree_pci_irq(const struct fdt *tree, const struct fdt_node *bridge, unsigned device, unsigned pin);

#endif
