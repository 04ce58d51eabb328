/* SPDX-License-Identifier: MIT */
/* The firmware's console, which serves as long as the machine runs. */
#include "arch/riscv64/riscv.h"

#define SBI_LEGACY_PUTCHAR 1
#define SBI_LEGACY_GETCHAR 2
#define SBI_DBCN_READ 1
#define SBI_DBCN_WRITE_BYTE 2

/* Firmware that has neither answers that it does not know the call, and that is all. */
bool arch_console_put(uint8_t byte) {
    if (sbi_has.dbcn)
        sbi_call(SBI_DBCN, SBI_DBCN_WRITE_BYTE, byte, 0, 0);
    else
        sbi_call(SBI_LEGACY_PUTCHAR, 0, byte, 0, 0);
    return true;
}

void arch_console_write(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            arch_console_put('\r');
        arch_console_put((uint8_t)text[i]);
    }
}

int arch_console_get(void) {
    if (!sbi_has.dbcn) {
        int64_t byte = sbi_call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0).error;
        return byte >= 0 && byte <= UINT8_MAX ? (int)byte : -1;
    }
    /* DBCN writes to a physical address: in the core's struct, which is in the direct map, and no other core's. */
    uint8_t *byte = &riscv_core(arch_core())->console_byte;
    struct sbi_result r = sbi_call(SBI_DBCN, SBI_DBCN_READ, 1, arch_virt_to_phys(byte), 0);
    return r.error == 0 && r.value == 1 ? *(volatile uint8_t *)byte : -1;
}
