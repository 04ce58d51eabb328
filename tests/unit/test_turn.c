/* SPDX-License-Identifier: MIT */
/* Turns: who gets them when devices interrupt. */
#include "tests/unit/machine.h"

/* Two drivers whose devices interrupt without pause, beside a process that yields: of two turns in a row at most one is
 * from the front place, so the drivers together get half. */
static void test_storm(void **unused) {
    (void)unused;
    boot(16);
    struct process *driver[2] = {spawn(init, 6, NULL), spawn(init, 6, NULL)}, *greedy = spawn(init, 6, NULL);
    run(init);
    CALL(init, OS2_SYS_receive | OS2_F_FROM); /* out of the way */
    for (unsigned i = 0; i < 2; i++)
        machine.irq[1 + i] = (struct irq){slot_generation(driver[i]->slot), 1, driver[i]->slot->index};
    uint64_t before = cores[0]->turns;
    for (unsigned i = 0; i < 400; i++) {
        assert_int_equal(host_rest(0), HOST_USER);
        struct process *p = cores[0]->current;
        if (p == greedy) {
            host_interrupt(0, 1);
            host_interrupt(0, 2);
            p->reg[OS2_R_CONTROL] = OS2_SYS_yield;
        } else {
            p->reg[OS2_R_CONTROL] = OS2_SYS_receive;
        }
        host_syscall(0);
        check();
    }
    uint64_t all = cores[0]->turns - before, drivers = driver[0]->turns + driver[1]->turns;
    assert_in_range(drivers, all / 2 - 2, all / 2 + 2);
    assert_in_range(driver[0]->turns, driver[1]->turns - 1, driver[1]->turns + 1);
}

/* With nothing else ready, the front place is all there is. */
static void test_front_alone(void **unused) {
    (void)unused;
    boot(16);
    struct process *driver = spawn(init, 6, NULL);
    run(init);
    CALL(init, OS2_SYS_receive | OS2_F_FROM);
    machine.irq[1] = (struct irq){slot_generation(driver->slot), 1, driver->slot->index};
    for (unsigned i = 0; i < 5; i++) {
        run(driver);
        driver->reg[OS2_R_CONTROL] = OS2_SYS_receive;
        host_syscall(0);
        assert_int_equal(host_rest(0), HOST_IDLE);
        host_interrupt(0, 1);
        assert_int_equal(host_rest(0), HOST_USER);
        assert_ptr_equal(cores[0]->current, driver);
        check();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_storm), cmocka_unit_test(test_front_alone)};
    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
