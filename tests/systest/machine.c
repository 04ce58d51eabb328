/* SPDX-License-Identifier: MIT */
/* The machine: clock, log, facts, power. */
#include "arch_test.h"
#include "systest.h"

#include "lib/format.h"
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
    struct os2_message m = {.label = OS2_LOG_CHUNK + 1};
    CHECK_IS(raw(OS2_SYS_log, machine, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = UINT64_MAX};
    CHECK_IS(raw(OS2_SYS_log, machine, 0, &m), OS2_E_INVALID);
    /* Without the right nobody writes: nor can he flush what others have written. */
    unsigned weak;
    NEED_IS(os2_handle_mint(machine, OS2_HANDLE_MACHINE, 0, OS2_RIGHTS_ALL & ~OS2_RIGHT_LOG, &weak), OS2_OK);
    CHECK_IS(os2_log_write(weak, "[  0.000000 core0] x\n", 21), OS2_E_RIGHTS);
    CHECK_IS(os2_log_write(0, "[  0.000000 core0] x\n", 21), OS2_E_HANDLE);
    os2_handle_close(weak);
}

/* Takes all of the log, and of that what programs wrote, up to `size` - 1 bytes; the console prints nothing of it. */
static void log_take(uint64_t bits, char *text, size_t size) {
    char piece[OS2_LOG_CHUNK];
    unsigned length, total = 0;
    bool begins = true, kernels = false;

    memset(text, 0, size);
    do {
        NEED_IS(os2_log_read(machine, bits, piece, &length), OS2_OK);
        CHECK(length <= OS2_LOG_CHUNK);
        for (unsigned i = 0; i < length; i++) {
            kernels = begins ? piece[i] == '[' : kernels;
            begins = piece[i] == '\n';
            if (!kernels && total < size - 1)
                text[total++] = piece[i];
        }
    } while (length);
}

/* Each line of a program's says whose it is, whatever it writes, and however it breaks it off. */
static void log_marked(void) {
    static const char fake[] = "one\n[  0.000001 core0] two\r\b\x1b[Hx", rest[] = " and on\n\n\tend\n";
    char got[256], wanted[256];
    unsigned me = self_id & OS2_ID_SLOT_MASK;

    log_take(0, got, sizeof(got));
    CHECK_IS(os2_log_write(machine, fake, sizeof(fake) - 1), OS2_OK);
    CHECK_IS(os2_log_write(machine, rest, sizeof(rest) - 1), OS2_OK);
    log_take(0, got, sizeof(got));
    format(wanted, sizeof(wanted),
           "systest(%u): one\nsystest(%u): [  0.000001 core0] two???[Hx and on\n\nsystest(%u): \tend\n", me, me, me);
    CHECK(strcmp(got, wanted) == 0);
    /* Another one's text ends a line that was begun. */
    struct puppet p;
    struct os2_message m = {.label = 2, .w = {'y' | '\n' << 8}};
    unsigned handle;
    NEED(puppet_start(&p, 0, NULL));
    NEED((handle = puppet_handle(&p, machine, OS2_RIGHTS_ALL)) != 0);
    CHECK_IS(os2_log_write(machine, "begun", 5), OS2_OK);
    CHECK_IS(puppet_do(&p, OS2_SYS_log, handle, 0, &m), OS2_OK);
    CHECK_IS(os2_log_write(machine, "z\n", 2), OS2_OK);
    log_take(0, got, sizeof(got));
    format(wanted, sizeof(wanted), "systest(%u): begun\npuppet(%u): y\nsystest(%u): z\n", me,
           (unsigned)(p.child.id & OS2_ID_SLOT_MASK), me);
    CHECK(strcmp(got, wanted) == 0);
    puppet_drop(&p);
}

/* Takes the log over from the console for a moment: what is written is read, in order, and the reader is told once. */
static void log_read(void) {
    static const char text[] = "# a line of systest in the kernel's log\n";
    const uint64_t bit = UINT64_C(1) << 51;
    char got[128], wanted[128];
    unsigned me = self_id & OS2_ID_SLOT_MASK;

    log_take(bit, got, sizeof(got));
    CHECK_IS(os2_log_write(machine, text, sizeof(text) - 1), OS2_OK);
    CHECK(take_bits(bit));
    CHECK_IS(os2_log_write(machine, "x\n", 2), OS2_OK);
    struct os2_message m = {.w = {bit}};
    CHECK_IS(os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT); /* told once until it reads */
    log_take(bit, got, sizeof(got));
    format(wanted, sizeof(wanted), "systest(%u): %ssystest(%u): x\n", me, text, me);
    CHECK(strcmp(got, wanted) == 0);
    log_take(0, got, sizeof(got));
    CHECK_IS(got[0], 0);
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

/* Nothing is typed here, and nothing sent: a byte would come into the middle of what the console's driver sends. */
static void firmware_errors(void) {
    struct os2_message m = {.label = OS2_FIRMWARE_GET + 1};
    unsigned weak;
    int got;

    CHECK_IS(raw(OS2_SYS_firmware_console, machine, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = UINT64_MAX};
    CHECK_IS(raw(OS2_SYS_firmware_console, machine, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = OS2_FIRMWARE_PUT, .w = {256}};
    CHECK_IS(raw(OS2_SYS_firmware_console, machine, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = OS2_FIRMWARE_PUT, .w = {UINT64_MAX}};
    CHECK_IS(raw(OS2_SYS_firmware_console, machine, 0, &m), OS2_E_INVALID);
    got = os2_firmware_get(machine);
    CHECK_IS(got, ARCH_FIRMWARE_CONSOLE ? OS2_E_WOULD_WAIT : OS2_E_CALL);
    CHECK(ARCH_FIRMWARE_CONSOLE || os2_firmware_put(machine, 'x') == OS2_E_CALL);
    NEED_IS(os2_handle_mint(machine, OS2_HANDLE_MACHINE, 0, OS2_RIGHTS_ALL & ~OS2_RIGHT_CONSOLE, &weak), OS2_OK);
    CHECK_IS(os2_firmware_put(weak, 'x'), OS2_E_RIGHTS);
    CHECK_IS(os2_firmware_get(weak), OS2_E_RIGHTS);
    os2_handle_close(weak);
}

static const struct test tests[] = {
    {"clock clock-same", "the clock goes on, at one rate, the same everywhere", clock},
    {"log-invalid log-rights", "wrong lengths are refused, and who has no right to write", log_write_errors},
    {"log-marked", "each line of a program's says whose it is", log_marked},
    {"log-read log-told log-order", "what is written to the log is read from it", log_read},
    {"frames machine-facts", "every frame is in one state, and the sums are those of the processes", frames},
    {"frames-owner", "frames tell their owner", frames_owner},
    {"machine-invalid", "machine_info refuses what is not there", info_errors},
    {"core-facts", "facts of the cores", core_facts},
    {"firmware-get firmware-rights firmware-invalid", "the firmware's console is for those who may use it",
     firmware_errors},
    {"control-rights control-invalid", "machine_control refuses", control_errors},
};
AREA(machine, tests);
