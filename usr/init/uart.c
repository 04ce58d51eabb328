/* SPDX-License-Identifier: MIT */
/*
 * Finding the console's UART, by the device tree, and handing it on. Where there is none that has a driver, the
 * firmware's console takes its place, if the firmware still serves it.
 */
#include "init/init.h"

bool init_uart_find(const struct os2_boot *boot, struct init_uart *ret_uart) {
    struct fdt tree;

    *ret_uart = (struct init_uart){0};
    if (boot->tree && fdt_open(&tree, (const void *)(uintptr_t)boot->tree, boot->tree_size) &&
        os2_tree_console(&tree, &ret_uart->facts))
        return true;
    /* A byte that has come so early is lost, as it is where a UART's driver starts. */
    if (os2_firmware_get(OS2_INIT_MACHINE) != OS2_E_CALL)
        ret_uart->facts = (struct os2_tree_uart){.kind = OS2_UART_FIRMWARE, .io_width = 1};
    return false;
}

/* Claims a handle once; later consoles get copies of it. */
static int uart_handle(unsigned *handle, enum os2_device_kind kind, uint64_t base, uint64_t count) {
    uint64_t result;
    int status = OS2_OK;

    if (!*handle) {
        status = os2_device_claim(OS2_INIT_MACHINE, kind, base, count, &result);
        if (status >= 0)
            *handle = (unsigned)result;
    }
    return status;
}

int init_uart_give(struct init_uart *uart, struct os2_child *console, uint64_t *ret_base, unsigned *ret_rights) {
    uint64_t page = uart->facts.base & ~(OS2_PAGE_SIZE - 1), block;
    int status = OS2_OK;

    *ret_base = 0;
    *ret_rights |= OS2_RIGHT_LOG;
    if (uart->facts.kind == OS2_UART_FIRMWARE) {
        *ret_rights |= OS2_RIGHT_CONSOLE;
        return OS2_OK;
    }
    /* Without an interrupt, or on a machine without a controller for it, the console polls. */
    if (uart->facts.irq && uart_handle(&uart->irq, OS2_DEVICE_IRQ, uart->facts.irq, 1) >= 0)
        status = os2_child_grant(console, "irq", uart->irq, OS2_RIGHTS_ALL);
    if (status < 0)
        return status;
    if (uart->facts.ports) {
        status = uart_handle(&uart->ports, OS2_DEVICE_PORTS, uart->facts.base, uart->facts.size);
        if (status >= 0)
            status = os2_child_grant(console, "ports", uart->ports, OS2_RIGHTS_ALL);
        *ret_base = uart->facts.base;
        return status;
    }
    status = os2_device_claim(OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, page, 0, &block);
    if (status < 0)
        return status;
    *ret_base = block + (uart->facts.base - page);
    status = os2_process_give(console->control, (void *)(uintptr_t)block, 0, OS2_PROT_READ | OS2_PROT_WRITE);
    if (status < 0)
        os2_block_free((void *)(uintptr_t)block);
    return status;
}
