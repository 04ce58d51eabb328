/* SPDX-License-Identifier: MIT */
/*
 * A small reader of flattened device trees, for programs that look for their devices. Pure: the bytes may be anything;
 * nothing outside them is read.
 */
#ifndef OS2_TREE_H
#define OS2_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os2_tree {
    const uint8_t *structure, *strings;
    size_t structure_size, strings_size;
};

/* A property's bytes, inside the tree. */
struct os2_tree_value {
    const uint8_t *bytes;
    size_t size;
};

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

/* Checks the header and sets up *ret_tree. False if it is not a tree or reaches outside `size` bytes. */
bool os2_tree_open(const void *bytes, size_t size, struct os2_tree *ret_tree);

/* The offset of the node with this full path ("/soc/serial@10000000"; a missing "@..." matches the first); -1: none. */
long os2_tree_find(const struct os2_tree *tree, const char *path, size_t length);

/* A property of the node at `node`. */
bool os2_tree_property(const struct os2_tree *tree, long node, const char *name, struct os2_tree_value *ret_value);

/* The UART of the console: /chosen/stdout-path (through /aliases, ":options" cut), else the first one known. */
bool os2_tree_console(const struct os2_tree *tree, struct os2_tree_uart *ret_uart);

#endif
