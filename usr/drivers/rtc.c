/* SPDX-License-Identifier: MIT */
/*
 * The driver of real-time clocks: serves os2/wallclock.h. Arguments: the name to serve under, and where the clock is:
 * "mmio" and an address (Goldfish's, as QEMU's RISC-V machine has it), or "ports" and the first of two (a PC's CMOS
 * clock, the MC146818).
 *
 * The clock is read once. From then on the time is that, and what has passed since by the processor's; so the registers
 * are given back. A PC's clock counts whole seconds: the time is behind by up to one. To wait for the next would have
 * every boot wait.
 */
#include "arch_user.h"
#include "os2/call.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"
#include "os2/wallclock.h"

#define BIT_NAMES 1u
#define NAMES_RETRY_MS 200u
#define SECOND_NS UINT64_C(1000000000)

static uint64_t read_ns, read_at_ns; /* the time that was read, and when that was, since boot */

/* ---- Goldfish: nanoseconds since 1970; reading the low word holds the high one. ---- */

enum { GOLDFISH_LOW = 0, GOLDFISH_HIGH = 4 };

static bool goldfish_read(uint64_t base) {
    uint64_t low = arch_device_read(base + GOLDFISH_LOW, 4);

    read_at_ns = os2_now_ns();
    read_ns = (uint64_t)arch_device_read(base + GOLDFISH_HIGH, 4) << 32 | low;
    os2_block_free((void *)(uintptr_t)(base & ~(OS2_PAGE_SIZE - 1)));
    return read_ns != 0;
}

/* ---- A PC's. ---- */

enum { CMOS_SECOND = 0, CMOS_MINUTE = 2, CMOS_HOUR = 4, CMOS_DAY = 7, CMOS_MONTH, CMOS_YEAR, CMOS_A, CMOS_B };
#define CMOS_UPDATES 0x80u /* A: the registers are about to change */
#define CMOS_BINARY 4u     /* B */
#define CMOS_24_HOURS 2u
#define CMOS_AFTERNOON 0x80u
#define CMOS_TRIES 1000u

static uint16_t cmos;

static uint8_t cmos_get(unsigned reg) {
    arch_io_write(cmos, (uint8_t)reg);
    return arch_io_read((uint16_t)(cmos + 1));
}

static unsigned cmos_number(uint8_t value, uint8_t b) {
    return b & CMOS_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

/* All registers of a date; false: they are about to change. */
#define CMOS_REGISTERS 6u
static bool cmos_take(uint8_t value[CMOS_REGISTERS]) {
    static const uint8_t reg[CMOS_REGISTERS] = {CMOS_SECOND, CMOS_MINUTE, CMOS_HOUR, CMOS_DAY, CMOS_MONTH, CMOS_YEAR};

    if (cmos_get(CMOS_A) & CMOS_UPDATES)
        return false;
    for (unsigned i = 0; i < CMOS_REGISTERS; i++)
        value[i] = cmos_get(reg[i]);
    return true;
}

/* The date, read twice alike: so no update came between. */
static bool cmos_stable(uint8_t value[CMOS_REGISTERS]) {
    uint8_t again[CMOS_REGISTERS];

    for (unsigned tries = 0; tries < CMOS_TRIES; tries++) {
        if (cmos_take(value) && cmos_take(again) && memcmp(value, again, sizeof(again)) == 0)
            return true;
        os2_yield();
    }
    return false;
}

static bool cmos_read(uint64_t port) {
    uint8_t b, value[CMOS_REGISTERS];
    struct os2_date date;

    cmos = (uint16_t)port;
    if (os2_port_grant(os2_start_handle("ports")) < 0 || !cmos_stable(value))
        return false;
    read_at_ns = os2_now_ns();
    b = cmos_get(CMOS_B);
    date = (struct os2_date){
        .second = cmos_number(value[0], b),
        .minute = cmos_number(value[1], b),
        .hour = cmos_number(b & CMOS_24_HOURS ? value[2] : value[2] & (uint8_t)~CMOS_AFTERNOON, b),
        .day = cmos_number(value[3], b),
        .month = cmos_number(value[4], b),
        .year = cmos_number(value[5], b),
    };
    if (!(b & CMOS_24_HOURS))
        date.hour = date.hour % 12 + (value[2] & CMOS_AFTERNOON ? 12 : 0);
    date.year += date.year < 70 ? 2000 : 1900; /* two digits */
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31 || date.hour > 23)
        return false;
    read_ns = os2_date_seconds(&date) * SECOND_NS;
    return true;
}

static void serve(const struct os2_message *m) {
    struct os2_message answer = {.caller = m->caller, .w = {read_ns, read_at_ns}};

    if (m->caller && m->label == OS2_WALLCLOCK_READ)
        os2_reply(0, &answer);
    else if (m->caller)
        os2_reply_fail(m->caller, OS2_E_INVALID);
}

int main(int argc, char **argv) {
    bool registered = false;
    uint64_t place;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    if (argc != 4 || !os2_string_number(argv[3], &place))
        return 1;
    if (strcmp(argv[2], "ports") == 0 ? !cmos_read(place) : !goldfish_read(place)) {
        os2_log(os2_start_handle("machine"), "%s: it tells no time\n", argv[1]);
        return 1;
    }
    for (;;) {
        struct os2_message m = {0};
        int status;

        if (!registered)
            registered = os2_names_serve(argv[1], BIT_NAMES) >= 0;
        m.w[4] = registered ? OS2_FOREVER : os2_deadline_ms(NAMES_RETRY_MS);
        status = os2_receive(OS2_F_DEADLINE, &m);
        if (status >= 0 && m.control & OS2_I_BITS)
            registered = false;
        if (status >= 0 && m.control & OS2_I_MESSAGE)
            serve(&m);
    }
}
