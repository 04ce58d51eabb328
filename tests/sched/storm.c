/* SPDX-License-Identifier: MIT */
/*
 * schedtest: a storm of device interrupts. The clock chip of QEMU's virt machine raises one whenever its alarm is set;
 * its driver sets the next alarm as soon as it is woken, and waits. Woken by a device, it goes first, but of two turns
 * in a row at most one is its: half the turns, whoever else is ready.
 */
#include "os2/start.h"
#include "sched.h"

#define RTC_BASE 0x101000u
#define RTC_IRQ 11u
enum {
    RTC_TIME_LOW,
    RTC_TIME_HIGH,
    RTC_ALARM_LOW,
    RTC_ALARM_HIGH,
    RTC_IRQ_ENABLED,
    RTC_CLEAR_ALARM,
    RTC_STATUS,
    RTC_CLEAR_INTERRUPT
};
#define ALARM_NS 3000u
#define QUANTUM 4000u /* makes turns that are longer than the alarm takes, even where instructions are counted */

int role_storm(void) {
    unsigned devices = os2_start_handle("machine");
    uint64_t address, irq;
    volatile uint32_t *rtc;

    if (os2_device_claim(devices, OS2_DEVICE_MEMORY, RTC_BASE, 0, &address) < 0 ||
        os2_device_claim(devices, OS2_DEVICE_IRQ, RTC_IRQ, 0, &irq) < 0 || os2_irq_bind((unsigned)irq, 1) < 0)
        return 1;
    rtc = (volatile uint32_t *)(uintptr_t)address;
    rtc[RTC_IRQ_ENABLED] = 1;
    for (;;) {
        struct os2_message m = {.w = {1}};
        uint64_t time = rtc[RTC_TIME_LOW];
        time |= (uint64_t)rtc[RTC_TIME_HIGH] << 32;
        time += ALARM_NS;
        rtc[RTC_ALARM_HIGH] = (uint32_t)(time >> 32);
        rtc[RTC_ALARM_LOW] = (uint32_t)time;
        os2_receive(OS2_F_MASK, &m);
        rtc[RTC_CLEAR_INTERRUPT] = 1;
        os2_irq_ack((unsigned)irq);
    }
}

static void test_storm(void) {
    struct counts c = {0};
    uint64_t address, others;
    unsigned storm;

    if (cores > 1) {
        skip("needs one core");
        return;
    }
    if (os2_device_claim(machine, OS2_DEVICE_MEMORY, RTC_BASE, 0, &address) < 0) {
        skip("needs QEMU's clock chip");
        return;
    }
    os2_block_free((void *)(uintptr_t)address);
    storm = member(QUANTUM);
    if (!CHECK(os2_child_grant(&team.member[storm].child, "machine", machine, OS2_RIGHTS_ALL) >= 0) ||
        !members(3, QUANTUM, "greedy") || !member_start(storm, "storm"))
        return;
    os2_sleep_ms(20);
    count_for(200, &c);
    others = c.turns[1] + c.turns[2] + c.turns[3];
    os2_printf("# the driver had %lu turns, the others %lu %lu %lu\n", c.turns[0], c.turns[1], c.turns[2], c.turns[3]);
    CHECK_BETWEEN(c.turns[0], others / 2, others + 1); /* more than a fair third, at most half */
    CHECK_BETWEEN(c.turns[1], c.turns[2] - 1, c.turns[2] + 1);
}

static const struct test tests[] = {
    {"a driver under a storm of interrupts gets at most half of the turns", test_storm},
};
AREA(area_storm, tests);
