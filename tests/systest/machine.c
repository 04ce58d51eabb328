/* SPDX-License-Identifier: MIT */
/* The machine: clock, log, facts, power. */
#include "systest.h"

#include "os2/frames.h"
#include "os2/string.h"
#include "os2/time.h"

static void clock(void) {
    uint64_t rate, again, last = os2_clock(&rate), start;
    struct puppet p;
    struct os2_message m = {0};

    CHECK(rate > 0);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = os2_clock(&again);
        CHECK(now >= last);
        CHECK_IS(again, rate);
        last = now;
    }
    /* The same clock everywhere: what another process reads between two looks lies between them. */
    NEED(puppet_start(&p, 0, NULL));
    for (unsigned i = 0; i < 20; i++) {
        start = os2_clock(NULL);
        CHECK_IS(puppet_do(&p, OS2_SYS_clock, 0, 0, &m), OS2_OK);
        CHECK(m.label >= start && m.label <= os2_clock(NULL));
    }
    puppet_drop(&p);
}

static void log_write_errors(void) {
    struct os2_message m = {.label = 0};
    CHECK_IS(raw(OS2_SYS_log, 0, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = OS2_LOG_CHUNK + 1};
    CHECK_IS(raw(OS2_SYS_log, 0, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = UINT64_MAX};
    CHECK_IS(raw(OS2_SYS_log, 0, 0, &m), OS2_E_INVALID);
}

/* Takes the log over from the console for a moment: what is written is read, in order, and the reader is told once. */
static void log_read(void) {
    static const char text[] = "# a line of systest in the kernel's log\n";
    const uint64_t bit = UINT64_C(1) << 51;
    char got[128] = {0}, piece[OS2_LOG_CHUNK];
    unsigned length, total = 0;

    do
        NEED_IS(os2_log_read(machine, bit, piece, &length), OS2_OK);
    while (length);
    CHECK_IS(os2_log_write(text, sizeof(text) - 1), OS2_OK);
    CHECK(take_bits(bit));
    CHECK_IS(os2_log_write("x", 1), OS2_OK);
    struct os2_message m = {.w = {bit}};
    CHECK_IS(os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT); /* told once until it reads */
    do {
        NEED_IS(os2_log_read(machine, bit, piece, &length), OS2_OK);
        CHECK(length <= OS2_LOG_CHUNK);
        memcpy(got + total, piece, length);
        total += length;
    } while (length && total < 80);
    CHECK_IS(total, sizeof(text));
    CHECK(memcmp(got, text, sizeof(text) - 1) == 0 && got[sizeof(text) - 1] == 'x');
    NEED_IS(os2_log_read(machine, 0, piece, &length), OS2_OK);
    CHECK_IS(length, 0);
}

/* Every frame is in one state, and the sums are right. */
static void frames(void) {
    struct os2_frames f;
    struct os2_message m;
    uint64_t sum = 0, owned = 0, tables = 0, objects = 0;

    NEED_IS(os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m), OS2_OK);
    CHECK_IS(m.label, cores); /* in QEMU all come up */
    CHECK(m.w[0] >= 256);
    CHECK(m.w[1] < m.w[2] && m.w[3] <= m.w[2] - m.w[1]);
    for (unsigned slot = 0; slot < m.w[0]; slot++) {
        struct os2_process_facts facts;
        if (os2_process_facts(machine, slot, &facts) >= 0) {
            owned += facts.pages;
            tables += facts.tables;
            objects += facts.objects;
        }
    }
    NEED_IS(os2_frames_count(machine, &f), OS2_OK);
    for (unsigned i = 0; i < OS2_FRAME_STATES; i++)
        sum += f.pages[i];
    CHECK_IS(f.pages[OS2_FRAME_OWNED] + f.pages[OS2_FRAME_PLACED], owned);
    CHECK_IS(f.pages[OS2_FRAME_TABLE], tables);
    CHECK_IS(f.pages[OS2_FRAME_OBJECT], objects);
    CHECK_IS(f.pages[OS2_FRAME_FLIGHT], 0);
    CHECK(f.pages[OS2_FRAME_TAIL] == 0 || sum == m.w[2] - m.w[1]);
    CHECK(f.pages[OS2_FRAME_FREE] > 0 && f.pages[OS2_FRAME_KERNEL] > 0);
}

/* One process's frames, by their owner. */
static void frames_owner(void) {
    struct os2_message m;
    struct os2_process_facts facts;
    uint64_t frame, end, mine = 0, slot = self_id & OS2_ID_SLOT_MASK;

    NEED_IS(os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m), OS2_OK);
    frame = m.w[1];
    end = m.w[2];
    while (frame < end) {
        NEED_IS(os2_machine_info(machine, OS2_MACHINE_FRAMES, frame, &m), OS2_OK);
        NEED(m.label > frame);
        if (m.w[3] == slot + 1)
            mine += m.w[2] << m.w[1];
        frame = m.label;
    }
    NEED_IS(os2_process_facts(0, 0, &facts), OS2_OK);
    CHECK_IS(mine, facts.pages + facts.tables + facts.objects);
}

static void info_errors(void) {
    struct os2_message m;

    NEED_IS(os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m), OS2_OK);
    uint64_t count = m.label, end = m.w[2];
    CHECK_IS(os2_machine_info(machine, OS2_MACHINE_CORE, count, &m), OS2_E_INVALID);
    CHECK_IS(os2_machine_info(machine, OS2_MACHINE_CORE, UINT64_MAX, &m), OS2_E_INVALID);
    CHECK_IS(os2_machine_info(machine, OS2_MACHINE_FRAMES, end, &m), OS2_E_INVALID);
    CHECK_IS(os2_machine_info(machine, OS2_MACHINE_FRAMES, UINT64_MAX, &m), OS2_E_INVALID);
    CHECK_IS(os2_machine_info(machine, (enum os2_machine_info)3, 0, &m), OS2_E_INVALID);
}

static void core_facts(void) {
    uint64_t turns[8] = {0};
    struct os2_message m;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < cores; i++) {
            NEED_IS(os2_machine_info(machine, OS2_MACHINE_CORE, i, &m), OS2_OK);
            CHECK_IS(m.caller, 1);
            CHECK(m.w[0] >= turns[i]);
            turns[i] = m.w[0];
        }
        for (unsigned i = 0; i < 10; i++)
            os2_yield();
    }
    uint64_t sum = 0;
    for (unsigned i = 0; i < cores; i++)
        sum += turns[i];
    CHECK(sum > 10);
}

static void control_errors(void) {
    unsigned weak;
    NEED_IS(os2_handle_mint(machine, OS2_HANDLE_MACHINE, 0, OS2_RIGHTS_ALL & ~OS2_RIGHT_POWER, &weak), OS2_OK);
    CHECK_IS(os2_machine_control(weak, OS2_CONTROL_OFF, 0), OS2_E_RIGHTS);
    CHECK_IS(os2_machine_control(machine, OS2_CONTROL_OFF, 256), OS2_E_INVALID);
    CHECK_IS(os2_machine_control(machine, (enum os2_machine_control)2, 0), OS2_E_INVALID);
    os2_handle_close(weak);
}

static const struct test tests[] = {
    {"clock clock-same", "the clock goes on, at one rate, the same everywhere", clock},
    {"log-invalid", "wrong lengths are refused", log_write_errors},
    {"log-read log-told log-order", "what is written to the log is read from it", log_read},
    {"frames machine-facts", "every frame is in one state, and the sums are those of the processes", frames},
    {"frames-owner", "frames tell their owner", frames_owner},
    {"machine-invalid", "machine_info refuses what is not there", info_errors},
    {"core-facts", "facts of the cores", core_facts},
    {"control-rights control-invalid", "machine_control refuses", control_errors},
};
AREA(machine, tests);
