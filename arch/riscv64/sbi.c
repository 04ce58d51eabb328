/* SPDX-License-Identifier: MIT */
/*
 * The firmware's interface (SBI 1.0 and legacy): each extension is probed, and has a fallback.
 *
 *     console    DBCN (SBI 2.0), else legacy putchar,       timer    TIME, else legacy set_timer
 *                getchar
 *     IPI        sPI, else legacy send_ipi                  power    SRST, else legacy shutdown
 *     start      HSM; firmware that is older sends all harts to the entry, where they wait (start.S)
 */
#include "arch/riscv64/riscv.h"

#define SBI_BASE 0x10
#define SBI_TIME 0x54494d45
#define SBI_IPI 0x735049
#define SBI_HSM 0x48534d
#define SBI_SRST 0x53525354
#define SBI_DBCN 0x4442434e
#define SBI_LEGACY_SET_TIMER 0
#define SBI_LEGACY_PUTCHAR 1
#define SBI_LEGACY_GETCHAR 2
#define SBI_DBCN_READ 1
#define SBI_DBCN_WRITE_BYTE 2
#define SBI_LEGACY_SEND_IPI 4
#define SBI_LEGACY_SHUTDOWN 8

static struct { bool base, time, ipi, hsm, srst, dbcn, test_device; } has = {.test_device = true};

struct sbi_result {
    int64_t error;
    uint64_t value;
};

static struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t arg0, uint64_t arg1, uint64_t arg2) {
    register uint64_t a0 __asm__("a0") = arg0;
    register uint64_t a1 __asm__("a1") = arg1;
    register uint64_t a2 __asm__("a2") = arg2;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(int64_t)a0, a1};
}

static bool probe(uint64_t extension) {
    struct sbi_result r = sbi_call(SBI_BASE, 3, extension, 0, 0);
    return r.error == 0 && r.value != 0;
}

void sbi_probe(void) {
    /* Firmware older than SBI 0.2 has no base extension and answers -2, not supported. */
    has.base = sbi_call(SBI_BASE, 0, 0, 0, 0).error == 0;
    if (!has.base)
        return;
    has.time = probe(SBI_TIME);
    has.ipi = probe(SBI_IPI);
    has.hsm = probe(SBI_HSM);
    has.srst = probe(SBI_SRST);
    has.dbcn = probe(SBI_DBCN);
}

void sbi_restrict(const struct boot_info *info) {
    bool legacy = boot_argument(info, "os2.sbi=legacy");
    if (legacy)
        has.ipi = has.dbcn = false;
    if (boot_argument(info, "os2.nohsm"))
        has.hsm = false;
    if (legacy || boot_argument(info, "os2.notime"))
        has.time = false;
    if (legacy || boot_argument(info, "os2.nosrst")) {
        has.srst = false;
        has.test_device = false;
    }
}

void sbi_describe(unsigned cpus) {
    uint64_t version = has.base ? sbi_call(SBI_BASE, 0, 0, 0, 0).value : 0;
    uint64_t maker = has.base ? sbi_call(SBI_BASE, 1, 0, 0, 0).value : 0;
    log_line("SBI %lu.%lu (implementation %lu):%s%s%s%s%s", version >> 24 & 0x7f, version & 0xffffff, maker,
             has.time ? " time" : "", has.ipi ? " ipi" : "", has.hsm ? " hsm" : "", has.srst ? " srst" : "",
             has.dbcn ? " dbcn" : "");
    if (!has.hsm && cpus > 1)
        log_line("the firmware starts no harts (no HSM): those that it sent here itself are waited for");
}

uint64_t sbi_marchid(void) {
    return has.base ? sbi_call(SBI_BASE, 5, 0, 0, 0).value : 0;
}
uint64_t sbi_mimpid(void) {
    return has.base ? sbi_call(SBI_BASE, 6, 0, 0, 0).value : 0;
}

void sbi_set_timer(uint64_t when) {
    if (has.time)
        sbi_call(SBI_TIME, 0, when, 0, 0);
    else
        sbi_call(SBI_LEGACY_SET_TIMER, 0, when, 0, 0);
}

void sbi_send_ipi(uint64_t hart) {
    if (has.ipi) {
        sbi_call(SBI_IPI, 0, 1, hart, 0);
    } else if (hart < 64) {                  /* another core finds its work when its nap ends */
        uint64_t mask = UINT64_C(1) << hart; /* legacy: read by firmware at this address */
        sbi_call(SBI_LEGACY_SEND_IPI, 0, (uint64_t)(uintptr_t)&mask, 0, 0);
    }
}

bool sbi_hart_start(uint64_t hart, uint64_t address, uint64_t argument) {
    return !has.hsm || sbi_call(SBI_HSM, 0, hart, address, argument).error == 0;
}

/* Firmware that has neither answers that it does not know the call, and that is all. */
bool arch_console_put(uint8_t byte) {
    if (has.dbcn)
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
    if (!has.dbcn) {
        int64_t byte = sbi_call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0).error;
        return byte >= 0 && byte <= UINT8_MAX ? (int)byte : -1;
    }
    /* DBCN writes to a physical address: in the core's struct, which is in the direct map, and no other core's. */
    uint8_t *byte = &riscv_core(arch_core())->console_byte;
    struct sbi_result r = sbi_call(SBI_DBCN, SBI_DBCN_READ, 1, arch_virt_to_phys(byte), 0);
    return r.error == 0 && r.value == 1 ? *(volatile uint8_t *)byte : -1;
}

void arch_halt(void) {
    csr_write(sie, 0);
    for (;;)
        __asm__ volatile("wfi");
}

/* The sifive,test device: 0x5555 is success, 0x3333 with a code above it is failure. */
static void test_device_exit(uint32_t value) {
    if (has.test_device && riscv_facts.test_device)
        *(volatile uint32_t *)arch_phys_to_virt(riscv_facts.test_device) = value;
}

void arch_power_off(unsigned code) {
    test_device_exit(code ? 0x3333 | code << 16 : 0x5555);
    if (has.srst)
        sbi_call(SBI_SRST, 0, 0, code != 0, 0);
    /* Firmware that cannot do this either stops here and says nothing. */
    static const char last[] = "[log: stopped; if the power stays on, it may be switched off]\n";
    arch_console_write(last, sizeof last - 1);
    sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0);
    arch_halt();
}

void arch_restart(void) {
    if (has.srst)
        sbi_call(SBI_SRST, 0, 1, 0, 0);
    test_device_exit(0x7777);
    arch_halt();
}
