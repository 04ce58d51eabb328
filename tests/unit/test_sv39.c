/* SPDX-License-Identifier: MIT */
/*
 * The entries that the RISC-V port writes into page tables, and whose fences it trusts: what the privileged
 * specification asks of software for every Sv39 machine, also of those that QEMU does not show, such as parts that
 * fault on A = 0, or on a write with D = 0.
 *
 * All leaves and tables of a process are made by the two functions tried here (arch/riscv64/port.h); the kernel's own
 * map is walked at boot by arch_kernel_map(), all tables of a running machine by gdb's `os2 tables`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/riscv64/riscv.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
#define PPN_SHIFT 10
#define EXTENSIONS_SHIFT 54 /* N, PBMT and reserved bits */

static void test_leaf(void **state) {
    static const struct {
        unsigned prot;
        uint64_t flags;
    } kinds[] = {
        {OS2_PROT_READ, R},
        {OS2_PROT_READ | OS2_PROT_WRITE, R | W},
        {OS2_PROT_READ | OS2_PROT_EXEC, R | X},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (uint64_t pa = 0x40000000; pa < UINT64_C(1) << 56; pa = pa << 1 | 0x1000) {
            for (unsigned device = 0; device < 2; device++) {
                uint64_t pte = arch_pte_leaf(pa, kinds[i].prot, 0, device);
                assert_int_equal(pte & 0x3ff, kinds[i].flags | V | U | A | D);
                assert_int_equal(pte >> PPN_SHIFT, pa >> 12);
                assert_int_equal(pte >> EXTENSIONS_SHIFT, 0);
                assert_true(arch_pte_valid(pte) && arch_pte_is_leaf(pte, 0));
                assert_int_equal(arch_pte_address(pte), pa);
                assert_int_equal(arch_pte_prot(pte), kinds[i].prot);
            }
        }
    }
}

static void test_table(void **state) {
    (void)state;
    for (uint64_t pa = 0x40000000; pa < UINT64_C(1) << 56; pa = pa << 1 | 0x1000) {
        uint64_t pte = arch_pte_table(pa);
        assert_int_equal(pte & 0x3ff, V); /* neither A, D nor U */
        assert_int_equal(pte >> PPN_SHIFT, pa >> 12);
        assert_int_equal(pte >> EXTENSIONS_SHIFT, 0);
        assert_true(arch_pte_valid(pte) && !arch_pte_is_leaf(pte, 1));
        assert_int_equal(arch_pte_address(pte), pa);
    }
    assert_false(arch_pte_valid(0));
}

/* Parts whose fences may only be global, and parts that look like them. */
static void test_fences_broken(void **state) {
    (void)state;
    uint64_t sifive = RISCV_VENDOR_SIFIVE;
    assert_true(riscv_fences_broken(sifive, 1, 0x20180213)); /* FU540 */
    assert_true(riscv_fences_broken(sifive, UINT64_C(0x8000000000000007), 0x20181004));
    assert_true(riscv_fences_broken(sifive, UINT64_C(0x8000000000000007), 0x200630));
    assert_false(riscv_fences_broken(sifive, UINT64_C(0x8000000000000007), 0x200631));
    assert_false(riscv_fences_broken(sifive, UINT64_C(0x8000000000000007), 0x01200626));
    assert_false(riscv_fences_broken(sifive, UINT64_C(0x8000000000000007), 0x4210427)); /* VisionFive 2 */
    assert_false(riscv_fences_broken(0, 0, 0));          /* QEMU 7.2's virt, or no base extension */
    assert_false(riscv_fences_broken(0, 1, 0x20180213)); /* another Rocket */
    assert_false(riscv_fences_broken(sifive, UINT64_C(0x8000000000000001), 0x20181004));
}

/* Against words that an assembler made of `j . + offset` and `sfence.vma`. */
static void test_instructions(void **state) {
    (void)state;
    assert_int_equal(riscv_jump(0), 0x0000006f);
    assert_int_equal(riscv_jump(4), 0x0040006f);
    assert_int_equal(riscv_jump(0x7fe), 0x7fe0006f);
    assert_int_equal(riscv_jump(0x800), 0x0010006f);
    assert_int_equal(riscv_jump(0x12344), 0x3441206f);
    assert_int_equal(riscv_jump(-2), 0xfffff06f);
    assert_int_equal(RISCV_SFENCE_ALL, 0x12000073);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_fences_broken),
        cmocka_unit_test(test_instructions),
    };

    return cmocka_run_group_tests_name("sv39", tests, NULL, NULL);
}
