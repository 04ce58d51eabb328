/* SPDX-License-Identifier: MIT */
/*
 * Ticks, nanoseconds and sleeping (os2/time.h). Whole seconds and the rest are converted apart: rest * 10^9 fits 64
 * bits for clocks up to 18 GHz.
 */
#include "os2/time.h"

#include "os2/call.h"

#define NS_PER_SECOND UINT64_C(1000000000)

uint64_t os2_ticks_to_ns(uint64_t ticks, uint64_t rate) {
    if (!rate)
        return 0;
    return ticks / rate * NS_PER_SECOND + ticks % rate * NS_PER_SECOND / rate;
}

uint64_t os2_ns_to_ticks(uint64_t ns, uint64_t rate) {
    return ns / NS_PER_SECOND * rate + ns % NS_PER_SECOND * rate / NS_PER_SECOND;
}

uint64_t os2_now_ns(void) {
    uint64_t rate, ticks = os2_clock(&rate);
    return os2_ticks_to_ns(ticks, rate);
}

uint64_t os2_deadline_ms(uint64_t ms_from_now) {
    uint64_t rate, ticks = os2_clock(&rate);
    /* A hundred years and more is no deadline. */
    if (ms_from_now > UINT64_C(1000) * 60 * 60 * 24 * 36525)
        return OS2_FOREVER;
    return ticks + ms_from_now / 1000 * rate + ms_from_now % 1000 * rate / 1000;
}

int os2_sleep_ms(uint64_t ms) {
    uint64_t deadline = os2_deadline_ms(ms);
    struct os2_message m = {.w = {[4] = deadline}}; /* mask 0: no bits */
    int status = os2_receive_from(0, OS2_F_MASK | OS2_F_DEADLINE, &m);
    return status == OS2_E_TIMEOUT || status == OS2_E_WOULD_WAIT ? OS2_OK : status;
}
