/* SPDX-License-Identifier: MIT */
/* Devices: two who bind a source at once, drivers that let one in again and again, many that are pending, a machine
 * that is slow; what nobody may claim. */
#include "tests/unit/machine.h"

#define SOURCE 7u
#define WINDOW (HOST_CLOCK_HZ / 1000)
#define OFTEN 64u

static unsigned irq_handle(struct process *p) {
    return handle_put(p->handles, handle_target(OS2_HANDLE_IRQ, OS2_RIGHT_GIVE, 0, 0), SOURCE);
}

/* Two holders bind a source, or give it up, at the same time on two cores: it is open if it is bound in the end, and
 * masked if it is not. */
static void test_bind_race(void **unused) {
    unsigned bound = 0;
    (void)unused;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        host_boot(&(struct host_config){.cores = 2, .ram_bytes = 16 << 20, .seed = seed});
        init = cores[0]->current;
        struct process *p[2] = {init, spawn(init, 10, NULL)};
        for (unsigned i = 0; i < 20 && host_rest(1) != HOST_USER; i++) {
            host_clock += 100;
            for (unsigned c = 0; c < 2; c++)
                if (host_interrupt_due(c))
                    host_interrupt(c, 0);
        }
        assert_int_equal(host_rest(1), HOST_USER);
        p[0] = cores[0]->current;
        p[1] = cores[1]->current;
        struct host_random random = {seed};
        for (unsigned c = 0; c < 2; c++) {
            memset(p[c]->reg, 0, sizeof p[c]->reg);
            p[c]->reg[OS2_R_CONTROL] = OS2_SYS_irq_bind | HANDLE(irq_handle(p[c]));
            p[c]->reg[OS2_R_LABEL] = host_below(&random, 2);
        }
        /* Core 0 stops somewhere inside, core 1 does all of its call, then core 0 goes on. */
        host_stop_in = 1 + host_below(&random, 12);
        host_disturbed = true;
        host_syscall(0);
        host_stop_in = 0;
        host_syscall(1);
        host_settle();
        bound += machine.irq[SOURCE].bits != 0;
        assert_int_equal(host_irq_open(SOURCE), machine.irq[SOURCE].bits != 0);
    }
    assert_in_range(bound, 50, 250);
}

static struct process *driver;
static unsigned handle;

static int set_up(void **unused) {
    (void)unused;
    boot(16);
    driver = spawn(init, 10, NULL);
    handle = irq_handle(driver);
    assert_int_equal(CALL(driver, OS2_SYS_irq_bind | HANDLE(handle), 1), OS2_OK);
    return 0;
}

/* The source fires where it is open, and its driver acknowledges at once. How often that went well, of `n` times. */
static unsigned storm(unsigned n) {
    unsigned fired = 0;
    uint64_t start = host_clock;
    run(driver);
    for (unsigned i = 0; i < n && host_irq_open(SOURCE); i++) {
        host_interrupt(0, SOURCE);
        fired++;
        host_clock = start; /* all within a moment */
        assert_int_equal(CALL(driver, OS2_SYS_irq_ack | HANDLE(handle), 0), OS2_OK);
        host_clock = start;
    }
    return fired;
}

/* A source that has fired too often is not let in by its driver's acknowledge, but by time. */
static void test_often(void **unused) {
    (void)unused;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(storm(1000), OFTEN);
        assert_int_equal(CALL(driver, OS2_SYS_irq_ack | HANDLE(handle), 0), OS2_OK);
        assert_false(host_irq_open(SOURCE));
        assert_int_equal(CALL(driver, OS2_SYS_irq_bind | HANDLE(handle), 3), OS2_OK); /* nor by binding it anew */
        assert_false(host_irq_open(SOURCE));
        pass(WINDOW + 10);
        assert_true(host_irq_open(SOURCE));
    }
    /* Given up meanwhile: it stays masked, until it is bound again. */
    assert_int_equal(storm(1000), OFTEN);
    assert_int_equal(CALL(driver, OS2_SYS_irq_bind | HANDLE(handle), 0), OS2_OK);
    pass(WINDOW + 10);
    assert_false(host_irq_open(SOURCE));
    assert_int_equal(CALL(driver, OS2_SYS_irq_bind | HANDLE(handle), 1), OS2_OK);
    assert_true(host_irq_open(SOURCE));
}

/* One that fires at a bearable rate is never held. */
static void test_seldom(void **unused) {
    (void)unused;
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(storm(OFTEN / 4), OFTEN / 4);
        assert_true(host_irq_open(SOURCE));
        pass(WINDOW / 3);
    }
}

/* What is counted is how often the core was interrupted, however many sources it found. */
static void test_counted(void **unused) {
    (void)unused;
    run(driver);
    uint64_t before = cores[0]->interrupts;
    host_interrupt(0, SOURCE);
    assert_int_equal(cores[0]->interrupts, before + 1);
    pass(WINDOW); /* longer than a breath: a stretch of its own */
    host_irq_more = 2;
    run(driver);
    host_interrupt(0, SOURCE);
    assert_int_equal(cores[0]->interrupts, before + 2);
}

/* Many sources held at once come again, a few at a time. */
static void test_many_held(void **unused) {
    (void)unused;
    run(driver);
    for (unsigned n = 20; n < 40; n++) {
        unsigned h = handle_put(driver->handles, handle_target(OS2_HANDLE_IRQ, OS2_RIGHT_GIVE, 0, 0), n);
        assert_int_equal(CALL(driver, OS2_SYS_irq_bind | HANDLE(h), 1), OS2_OK);
        machine.irq[n].since = host_clock;
        machine.irq[n].fired = OFTEN;
        assert_int_equal(CALL(driver, OS2_SYS_irq_ack | HANDLE(h), 0), OS2_OK);
        assert_true(machine.irq[n].held);
    }
    pass(WINDOW + 10);
    for (unsigned n = 20; n < 40; n++)
        assert_true(host_irq_open(n));
    assert_int_equal(cores[0]->irqs_held, 0);
}

/* However many are pending, one entry takes a few, and after a few entries that follow each other interrupts are held
 * for a while: whoever runs goes on. */
static void test_pending(void **unused) {
    (void)unused;
    run(driver);
    uint64_t before = cores[0]->interrupts;
    unsigned entries = 0;
    host_irq_more = 1000;
    while (!cores[0]->arch.held) {
        unsigned more = host_irq_more;
        host_interrupt(0, SOURCE);
        assert_in_range(more - host_irq_more, 1, 4);
        assert_in_range(++entries, 1, 8);
    }
    assert_in_range(cores[0]->interrupts - before, 1, 32);
    assert_in_range(cores[0]->arch.timer - host_clock, HOST_CLOCK_HZ / 50000 - 5, HOST_CLOCK_HZ / 50000 + 1);
    host_irq_more = 0;
    pass(0);
    assert_false(cores[0]->arch.held);
}

/* A machine that is so slow that any entry is longer than a stretch: interrupts are held time and again, and yet come
 * in. */
static void test_slow_machine(void **unused) {
    unsigned holds = 0;
    (void)unused;
    run(driver);
    host_look = HOST_CLOCK_HZ / 20000;
    for (unsigned i = 0; i < 50; i++) {
        for (unsigned entries = 0; cores[0]->arch.held; holds++) {
            assert_in_range(++entries, 1, 2);
            if (host_clock < cores[0]->arch.timer)
                host_clock = cores[0]->arch.timer;
            host_interrupt(0, 0);
        }
        uint64_t before = cores[0]->interrupts;
        host_interrupt(0, SOURCE);
        assert_int_equal(cores[0]->interrupts, before + 1);
        assert_int_equal(CALL(driver, OS2_SYS_irq_ack | HANDLE(handle), 0), OS2_OK);
    }
    assert_in_range(holds, 10, 50);
}

/* A handle to a source that somebody else has bound does not let it in. */
static void test_not_mine(void **unused) {
    (void)unused;
    struct process *other = spawn(init, 10, NULL);
    unsigned theirs = irq_handle(other);
    run(driver);
    host_interrupt(0, SOURCE);
    assert_false(host_irq_open(SOURCE));
    assert_int_equal(CALL(other, OS2_SYS_irq_ack | HANDLE(theirs), 0), OS2_E_RIGHTS);
    assert_false(host_irq_open(SOURCE));
    assert_int_equal(CALL(driver, OS2_SYS_irq_ack | HANDLE(handle), 0), OS2_OK);
    assert_true(host_irq_open(SOURCE));
}

static int64_t claim(struct process *p, unsigned machine_handle, unsigned what, uint64_t first, uint64_t count) {
    return CALL(p, OS2_SYS_device_claim | HANDLE(machine_handle), what, first, count);
}

/* Registers are no RAM, whoever has it, nor the kernel's own devices; and it takes the right to claim them. */
static void test_claims(void **unused) {
    (void)unused;
    uint64_t rights = ALL & ~OS2_RIGHT_DEVICES, ram = host_boot_info.ram[0].base;
    unsigned weak = handle_put(driver->handles, handle_target(OS2_HANDLE_MACHINE, (unsigned)rights, 0, 0), 0);
    assert_int_equal(claim(driver, weak, OS2_DEVICE_MEMORY, 0x10000000, 0), OS2_E_RIGHTS);
    assert_int_equal(claim(driver, handle, OS2_DEVICE_MEMORY, 0x10000000, 0), OS2_E_HANDLE);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, ram, 0), OS2_E_RIGHTS); /* firmware's */
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, ram + 0xff0000, 0), OS2_E_RIGHTS);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, 0, 18), OS2_E_RIGHTS);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, 0x10000000, 0), OS2_OK);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_IRQ, 0, 0), OS2_E_INVALID);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_IRQ, host_boot_info.irq_count, 0), OS2_E_INVALID);
}

/* A message-signalled interrupt is a source like others, with a number past the lines. */
static void test_messages(void **unused) {
    (void)unused;
    unsigned number = host_boot_info.irq_count + 2;
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MSI, HOST_IRQ_MESSAGES, 0), OS2_E_INVALID);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MSI, UINT64_C(1) << 32, 0), OS2_E_INVALID);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MSI, 2, 0), OS2_OK);
    unsigned message = (unsigned)init->reg[OS2_R_LABEL];
    assert_true(init->reg[OS2_R_W0] == HOST_MESSAGE_ADDRESS && init->reg[OS2_R_W1] == 2);
    assert_true(init->reg[OS2_R_W2] == 0 && init->reg[OS2_R_W3] == 0);
    assert_int_equal(handle_get(init->handles, message)->badge, number);
    assert_false(host_irq_open(number));
    assert_int_equal(CALL(init, OS2_SYS_irq_bind | HANDLE(message), 4), OS2_OK);
    assert_true(host_irq_open(number) && machine.irq[number].bits == 4);
}

/* PCI's configuration space may be claimed where firmware's map reserves it, and nothing beside it. */
static void test_reserved(void **unused) {
    (void)unused;
    uint64_t at = 0x20000000, mib = 1 << 20;
    boot_reserve(&host_boot_info, at, 4 * mib);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at + mib, 8), OS2_E_RIGHTS);
    host_boot_info.pci = (struct boot_range){at + mib, 2 * mib};
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at, 8), OS2_E_RIGHTS);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at + 3 * mib, 8), OS2_E_RIGHTS);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at, 10), OS2_E_RIGHTS);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at + 2 * mib, 9), OS2_E_RIGHTS);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at + mib, 8), OS2_OK);
    assert_int_equal(claim(init, OS2_INIT_MACHINE, OS2_DEVICE_MEMORY, at + 2 * mib, 8), OS2_OK);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bind_race),
        TEST(test_often),
        TEST(test_seldom),
        TEST(test_counted),
        TEST(test_many_held),
        TEST(test_pending),
        TEST(test_slow_machine),
        TEST(test_not_mine),
        TEST(test_claims),
        TEST(test_messages),
        TEST(test_reserved),
    };
    return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
