/* SPDX-License-Identifier: MIT */
/* Boot on the host port: what init gets, and that every frame is accounted for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"

static void boot(unsigned count, uint64_t mib) {
    host_boot(&(struct host_config){.cores = count, .ram_bytes = mib << 20, .seed = 1});
}

static void test_cores_rest(void **unused) {
    (void)unused;
    for (unsigned n = 1; n <= CORES_MAX; n++) {
        boot(n, 16);
        assert_int_equal(host_rest(0), HOST_USER);
        for (unsigned i = 1; i < n; i++)
            assert_int_equal(host_rest(i), HOST_IDLE);
        uint64_t others = ((UINT64_C(1) << n) - 1) & ~UINT64_C(1);
        assert_int_equal(machine.idle_mask & ~(others | others << CORES_MAX), 0); /* looking, and asleep */
    }
}

static void test_all_sizes_of_memory(void **unused) {
    (void)unused;
    for (uint64_t mib = 4; mib <= 128; mib += 7) {
        boot(3, mib);
        const char *wrong = host_check();
        if (wrong)
            fail_msg("%u MiB: %s", (unsigned)mib, wrong);
    }
}

static void test_init(void **unused) {
    (void)unused;
    boot(2, 16);
    const struct process *init = cores[0]->current;
    assert_int_equal(init->context.pc, HOST_INIT_ENTRY);
    assert_memory_equal(init->name, "init\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(handle_kind(init->handles->entry[OS2_INIT_MACHINE].target), OS2_HANDLE_MACHINE);
    assert_int_equal(init->space.quota + 2 * MAGAZINE_PAGES, heap_free_pages(&machine.heap) + init->space.charged);

    /* The argument is a page with struct os2_boot, whose blocks are where it says. */
    const struct os2_boot *b = arch_phys_to_virt(init->reg[OS2_R_CONTROL] - OS2_EXCHANGE_BASE);
    struct block block;
    assert_int_equal(block_find(&init->space, b->archive & ~(OS2_PAGE_SIZE - 1), &block), OS2_OK);
    assert_int_equal(block_find(&init->space, b->tree, &block), OS2_OK);
    assert_string_equal(b->arguments, "quiet");
    const uint8_t *tree = arch_phys_to_virt(b->tree - OS2_EXCHANGE_BASE);
    for (uint64_t i = 0; i < b->tree_size; i++)
        assert_int_equal(tree[i], 0xd7);
    assert_memory_equal((const uint8_t *)arch_phys_to_virt(b->archive - OS2_EXCHANGE_BASE), "070701", 6);
    assert_null(host_check());
}

/* Where firmware put the tree is free memory once the kernel has its copy. */
static void test_old_tree_is_freed(void **unused) {
    (void)unused;
    boot(1, 16);
    const struct boot_range *old = &host_boot_info.kept[1];
    for (uint64_t pa = old->base & ~(OS2_PAGE_SIZE - 1); pa < old->base + old->size; pa += OS2_PAGE_SIZE)
        if (heap_frame(&machine.heap, (uint32_t)(pa >> OS2_PAGE_SHIFT))->state == OS2_FRAME_KERNEL)
            assert_int_not_equal(*(const uint8_t *)arch_phys_to_virt(pa + 0x800), 0xd7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cores_rest),
        cmocka_unit_test(test_all_sizes_of_memory),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_old_tree_is_freed),
    };
    return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
