/* SPDX-License-Identifier: MIT */
/* Turns: who gets them when devices interrupt, behind processes that make no call, and beside idle cores. */
#include "ipc/end.h"
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
        machine.irq[1 + i] =
            (struct irq){.life = slot_generation(driver[i]->slot), .bits = 1, .slot = driver[i]->slot->index};
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
    machine.irq[1] = (struct irq){.life = slot_generation(driver->slot), .bits = 1, .slot = driver->slot->index};
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

#define MACHINE_CORES 4u
#define STEP (HOST_CLOCK_HZ / 1000)

/* Interrupts arrive where they are due; core `busy` makes a call after each. */
static void step(unsigned busy) {
    host_clock += STEP;
    for (unsigned i = 0; i < MACHINE_CORES; i++)
        if (host_interrupt_due(i))
            host_interrupt(i, 0);
    if (busy < MACHINE_CORES && host_rest(busy) == HOST_USER) {
        cores[busy]->current->reg[OS2_R_CONTROL] = OS2_SYS_yield;
        host_syscall(busy);
    }
}

/* Two processes more than cores, of which all but one make no call: those who wait are brought to the core that turns.
 * The ticks of the others fall between, in any order. */
static void test_past_stuck(void **unused) {
    (void)unused;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct host_random random = {seed};
        struct process *child[MACHINE_CORES + 2];
        uint64_t before[MACHINE_CORES + 2];
        host_boot(&(struct host_config){.cores = MACHINE_CORES, .ram_bytes = 16 << 20, .seed = seed});
        init = cores[0]->current;
        for (unsigned i = 0; i < MACHINE_CORES + 2; i++) {
            child[i] = spawn(init, 6, NULL);
            child[i]->watchdog = 0;
        }
        run(init);
        init->reg[OS2_R_CONTROL] = OS2_SYS_receive | OS2_F_FROM;
        host_syscall(0);
        for (unsigned i = 0; i < 20; i++)
            step(MACHINE_CORES);
        unsigned busy = (unsigned)host_below(&random, MACHINE_CORES);
        for (unsigned i = 0; i < MACHINE_CORES; i++)
            cores[i]->timers.tick += host_below(&random, 100) * STEP;
        for (unsigned i = 0; i < MACHINE_CORES + 2; i++)
            before[i] = child[i]->turns;
        for (unsigned i = 0; i < 1000; i++)
            step(busy);
        for (unsigned i = 0; i < MACHINE_CORES + 2; i++)
            assert_true(child[i]->turns > before[i] || kind_of(child[i]) == KIND_RUN);
        check();
    }
}

/* A page faults once in each process that gets it, where a core has kept that nothing was there: a fence settles that.
 * What it does not settle at once is the program's own fault. */
static void test_spurious_fault(void **unused) {
    (void)unused;
    boot(16);
    struct process *other = spawn(init, 20, NULL);
    unsigned to_other = handle_to(init, other, OS2_HANDLE_INBOX, ALL, 0);
    uint64_t page = alloc(init, 0), last = page;
    for (unsigned i = 0; i < 3; i++) {
        run(init);
        assert_true(fault_spurious(cores[0], OS2_FAULT_READ, page));
        assert_false(fault_spurious(cores[0], OS2_FAULT_READ, page));
        assert_false(fault_spurious(cores[0], OS2_FAULT_EXEC, page));
        CALL(other, OS2_SYS_receive | ACCEPT(0), 0);
        assert_int_equal(CALL(init, OS2_SYS_send | OS2_F_BLOCK | HANDLE(to_other), 0, 0, 0, 0, page), OS2_OK);
        assert_false(fault_spurious(cores[0], OS2_FAULT_READ, page));
        run(other);
        assert_true(fault_spurious(cores[0], OS2_FAULT_WRITE, page)); /* the same address, another process */
        assert_false(fault_spurious(cores[0], OS2_FAULT_WRITE, page));
        assert_int_equal(CALL(other, OS2_SYS_block_free, page), OS2_OK);
        assert_false(fault_spurious(cores[0], OS2_FAULT_WRITE, page));
        page = alloc(init, 0);
        assert_int_equal(page, last);
    }
}

/* A call by the current process, of which nothing is checked but its status. */
static void bare_call(uint64_t control, uint64_t label, uint64_t quantum) {
    struct process *p = cores[0]->current;
    memset(p->reg, 0, sizeof p->reg);
    p->reg[OS2_R_CONTROL] = control;
    p->reg[OS2_R_LABEL] = label;
    p->reg[OS2_R_W0] = quantum;
    cores[0]->tokens = 1000; /* nobody else runs meanwhile */
    host_syscall(0);
    assert_ptr_equal(cores[0]->current, p);
    assert_int_equal(STATUS(p), OS2_OK);
}

static unsigned doomed_in_queue(void) {
    unsigned n = 0;
    for (uint32_t i = 1; i < machine.slot_high; i++)
        n += state_kind(machine.slot[i].word) == KIND_RDY && slot_doomed(&machine.slot[i]);
    return n;
}

/* Two thousand ready processes are doomed before they run. Whoever dispatches passes over all of them; a driver's
 * interrupt that comes meanwhile waits for a few, and the driver is the next that runs. */
static void test_many_doomed(void **unused) {
    enum { PARENTS = 8, CHILDREN = 250, PASSED = 16 };
    (void)unused;
    boot(192);
    struct process *driver = spawn(init, 6, NULL), *parent[PARENTS];
    for (unsigned i = 0; i < PARENTS; i++)
        parent[i] = spawn(init, CHILDREN * (3 + SLOT) + 10, NULL);
    run(driver);
    driver->reg[OS2_R_CONTROL] = OS2_SYS_receive;
    host_syscall(0);
    machine.irq[1] = (struct irq){.life = slot_generation(driver->slot), .bits = 1, .slot = driver->slot->index};
    for (unsigned i = 0; i < PARENTS; i++) {
        unsigned control[CHILDREN];
        run(parent[i]);
        for (unsigned j = 0; j < CHILDREN; j++) {
            bare_call(OS2_SYS_process_create, 3, 100);
            control[j] = (unsigned)parent[i]->reg[OS2_R_LABEL];
        }
        for (unsigned j = 0; j < CHILDREN; j++)
            bare_call(OS2_SYS_process_start | HANDLE(control[j]), 0x10000, 0);
        cores[0]->tokens = 1; /* the others run in between, each for one turn */
    }
    for (uint32_t i = 1; i < machine.slot_high; i++) {
        struct slot *slot = &machine.slot[i];
        if (state_kind(slot->word) == KIND_RDY && slot != init->slot && slot->parent != init->slot->index)
            end_kill(cores[0], slot, slot_generation(slot), OS2_END_KILLED);
    }
    check();
    unsigned all = doomed_in_queue();
    assert_in_range(all, PARENTS * CHILDREN - 10, PARENTS * CHILDREN);
    /* Those who are alive go to sleep, one after the other, until the kernel is stopped amid passing. */
    host_disturbed = true;
    while (doomed_in_queue() > all / 2 || host_rest(0) != HOST_KERNEL) {
        host_stop_in = 300;
        if (host_rest(0) == HOST_KERNEL) {
            host_continue(0);
            continue;
        }
        cores[0]->current->reg[OS2_R_CONTROL] = OS2_SYS_receive | OS2_F_FROM;
        host_syscall(0);
    }
    assert_int_equal(host_rest(0), HOST_KERNEL);
    unsigned before = doomed_in_queue();
    host_stop_in = 0;
    host_disturbed = false;
    host_interrupt_later(0, 1);
    host_continue(0);
    assert_int_equal(host_rest(0), HOST_USER);
    assert_ptr_equal(cores[0]->current, driver);
    assert_in_range(before - doomed_in_queue(), 1, PASSED + 1);
    check();
    /* And then the rest of them end. */
    driver->reg[OS2_R_CONTROL] = OS2_SYS_receive;
    host_syscall(0);
    settle();
    assert_int_equal(doomed_in_queue(), 0);
}

/* Clearing is paid by size, by each way to get a block: a token for 64 KiB. */
static void test_clearing_costs(void **unused) {
    (void)unused;
    boot(64);
    struct process *p = spawn(init, 2000, NULL);
    for (unsigned order = 0; order <= 9; order++) {
        for (unsigned again = 0; again < 2; again++) { /* the second time its table is known */
            run(p);
            cores[0]->tokens = cores[0]->tokens_marked = 90;
            uint64_t va = alloc(p, order);
            assert_ptr_equal(cores[0]->current, p);
            assert_int_equal(90 - cores[0]->tokens, order > 4 ? 1u << (order - 4) : 1);
            assert_int_equal(CALL(p, OS2_SYS_block_free, va), OS2_OK);
        }
    }
}

/* What is pending at core 1 comes in, until nothing is. */
static void let_in(void) {
    while (host_interrupt_due(1))
        host_interrupt(1, 0);
    assert_int_equal(host_rest(1), HOST_IDLE);
}

/* a wakes b, computes for so long and yields; b waits again. Was the idle core 1 called, when b was ready? */
static bool offers(struct process *a, struct process *b, unsigned handle, uint64_t computes) {
    CALL(a, OS2_SYS_notify | HANDLE(handle), 1);
    bool called = cores[1]->arch.ipi;
    host_clock += computes;
    run(b);
    b->reg[OS2_R_CONTROL] = OS2_SYS_receive;
    host_syscall(0);
    assert_ptr_equal(cores[0]->current, a);
    let_in();
    return called;
}

/* Whoever is alone in the queue is offered to an idle core, until who made it ready is seen to wait soon after; and
 * again, once an idle core has found such a one waiting. Who is not alone is offered always. */
static void test_hands_over(void **unused) {
    (void)unused;
    host_boot(&(struct host_config){.cores = 2, .ram_bytes = 16 << 20, .seed = 1});
    init = cores[0]->current;
    struct process *b = spawn(init, 6, NULL), *c = spawn(init, 6, NULL);
    run(c);
    c->reg[OS2_R_CONTROL] = OS2_SYS_receive;
    host_syscall(0);
    run(b);
    b->reg[OS2_R_CONTROL] = OS2_SYS_receive;
    host_syscall(0);
    unsigned to_b = handle_to(init, b, OS2_HANDLE_NOTIFY, ALL, 1), to_c = handle_to(init, c, OS2_HANDLE_NOTIFY, ALL, 1);
    let_in();
    cores[0]->hands_over = false;

    const uint64_t late = HOST_CLOCK_HZ / 1000;
    for (unsigned i = 0; i < 3; i++)
        assert_true(offers(init, b, to_b, late));
    assert_true(offers(init, b, to_b, 0));
    for (unsigned i = 0; i < 3; i++)
        assert_false(offers(init, b, to_b, i ? late : 0));

    CALL(init, OS2_SYS_notify | HANDLE(to_b), 1);
    CALL(init, OS2_SYS_notify | HANDLE(to_c), 1);
    assert_true(cores[1]->arch.ipi);
    let_go();
    for (unsigned i = 0; i < 2; i++) {
        cores[0]->current->reg[OS2_R_CONTROL] = OS2_SYS_receive;
        host_syscall(0);
    }
    assert_ptr_equal(cores[0]->current, init);
    let_in();
    assert_false(offers(init, b, to_b, 0));

    /* By its nap core 1 finds b, which core 0 gives out when it is interrupted. */
    CALL(init, OS2_SYS_notify | HANDLE(to_b), 1);
    for (unsigned i = 0; i < 20 && host_rest(1) != HOST_USER; i++) {
        host_clock += HOST_CLOCK_HZ / 100;
        for (unsigned core = 0; core < 2; core++)
            if (host_interrupt_due(core))
                host_interrupt(core, 0);
    }
    assert_ptr_equal(cores[1]->current, b);
    b->reg[OS2_R_CONTROL] = OS2_SYS_receive;
    host_syscall(1);
    let_in();
    for (unsigned i = 0; i < 3; i++)
        assert_true(offers(init, b, to_b, late));
    assert_true(offers(init, b, to_b, 0));
    assert_false(offers(init, b, to_b, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_storm),          cmocka_unit_test(test_front_alone),
                                       cmocka_unit_test(test_hands_over),     cmocka_unit_test(test_past_stuck),
                                       cmocka_unit_test(test_spurious_fault), cmocka_unit_test(test_many_doomed),
                                       cmocka_unit_test(test_clearing_costs)};
    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
