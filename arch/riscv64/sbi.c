/* SPDX-License-Identifier: MIT */
/*
 * The firmware's interface (SBI 1.0 and legacy): each extension is probed here, and has a fallback where it is used.
 *
 *     console    DBCN (SBI 2.0), else legacy putchar,       timer    TIME, else legacy set_timer
 *                getchar
 *     IPI        sPI, else legacy send_ipi                  power    SRST, else legacy shutdown
 *     start      HSM; firmware that is older sends all harts to the entry, where they wait (start.S)
 */
#include "arch/riscv64/riscv.h"

struct sbi_has sbi_has = {.test_device = true};

struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t arg0, uint64_t arg1, uint64_t arg2) {
    register uint64_t a0 __asm__("a0") = arg0;
    register uint64_t a1 __asm__("a1") = arg1;
    register uint64_t a2 __asm__("a2") = arg2;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(int64_t)a0, a1};
}

static bool probe(uint64_t extension) {
    struct sbi_result r = sbi_call(SBI_BASE, SBI_PROBE, extension, 0, 0);
    return r.error == 0 && r.value != 0;
}

void sbi_probe(void) {
    /* Firmware older than SBI 0.2 has no base extension and answers -2, not supported. */
    sbi_has.base = sbi_call(SBI_BASE, SBI_VERSION, 0, 0, 0).error == 0;
    if (!sbi_has.base)
        return;
    sbi_has.time = probe(SBI_TIME);
    sbi_has.ipi = probe(SBI_IPI);
    sbi_has.hsm = probe(SBI_HSM);
    sbi_has.srst = probe(SBI_SRST);
    sbi_has.dbcn = probe(SBI_DBCN);
}

void sbi_restrict(const struct boot_info *info) {
    bool legacy = boot_argument(info, "os2.sbi=legacy");
    if (legacy)
        sbi_has.ipi = sbi_has.dbcn = false;
    if (boot_argument(info, "os2.nohsm"))
        sbi_has.hsm = false;
    if (legacy || boot_argument(info, "os2.notime"))
        sbi_has.time = false;
    if (legacy || boot_argument(info, "os2.nosrst")) {
        sbi_has.srst = false;
        sbi_has.test_device = false;
    }
}

uint64_t sbi_about(enum sbi_about what) {
    return sbi_has.base ? sbi_call(SBI_BASE, what, 0, 0, 0).value : 0;
}

void sbi_describe(unsigned cpus) {
    uint64_t version = sbi_about(SBI_VERSION), maker = sbi_about(SBI_MAKER);
    log_line("SBI %lu.%lu (implementation %lu):%s%s%s%s%s", version >> 24 & 0x7f, version & 0xffffff, maker,
             sbi_has.time ? " time" : "", sbi_has.ipi ? " ipi" : "", sbi_has.hsm ? " hsm" : "",
             sbi_has.srst ? " srst" : "", sbi_has.dbcn ? " dbcn" : "");
    if (!sbi_has.hsm && cpus > 1)
        log_line("the firmware starts no harts (no HSM): those that it sent here itself are waited for");
}
