/* SPDX-License-Identifier: MIT */
/*
 * The driver of a virtio source of random bytes (virtio 1.2, 5.4): serves os2/random.h. Arguments: the name to serve
 * under, and where the device is (drivers/virtio.h).
 *
 * One buffer of BYTES is the device's while it is empty, and full otherwise. Who asks meanwhile waits in a list. No
 * byte is handed out twice: what is taken is overwritten.
 */
#include "drivers/virtio.h"
#include "os2/call.h"
#include "os2/interrupt.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/random.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define BIT_NAMES 1u
#define BIT_INTERRUPT 2u
#define NAMES_RETRY_MS 200u
#define POLL_MS 10u
#define BYTES 256u
#define WAITERS 16u

static struct {
    struct virtio device;
    struct virtio_queue queue;
    struct os2_interrupt interrupt;
    uint8_t *bytes;
    uint32_t used, full;    /* of the bytes: taken, and there */
    uint64_t wait[WAITERS]; /* callers, the first of them first */
    unsigned waiters;
    unsigned machine;
    const char *name;
} source;

static _Noreturn void give_up(const char *why) {
    os2_log(source.machine, "%s: %s\n", source.name, why);
    os2_exit(1);
}

/* Lets the device fill the buffer. */
static void refill(void) {
    const struct virtio_piece piece = {(uintptr_t)source.bytes - OS2_EXCHANGE_BASE, BYTES, true};
    unsigned head;

    source.used = source.full = 0;
    if (!virtio_queue_add(&source.queue, &piece, 1, &head))
        give_up("the device takes no buffer");
    virtio_queue_kick(&source.queue);
}

static void answer(uint64_t caller) {
    struct os2_message m = {.caller = caller};
    uint32_t left = source.full - source.used, part = left < OS2_RANDOM_BYTES ? left : OS2_RANDOM_BYTES;

    m.label = part;
    memcpy(m.w, source.bytes + source.used, part);
    memset(source.bytes + source.used, 0, part);
    source.used += part;
    os2_reply(0, &m);
    if (source.used == source.full)
        refill();
}

/* Answers those who wait, as far as there are bytes. */
static void answer_waiters(void) {
    while (source.waiters && source.used < source.full) {
        uint64_t caller = source.wait[0];
        source.waiters--;
        memmove(source.wait, source.wait + 1, source.waiters * sizeof(source.wait[0]));
        answer(caller);
    }
}

static bool drain(void) {
    unsigned head;
    uint32_t size;
    bool any = virtio_queue_take(&source.queue, &head, &size);

    if (source.queue.broken || (any && (size == 0 || size > BYTES)))
        give_up("the device answers what was not asked");
    if (any)
        source.full = size;
    answer_waiters();
    return any;
}

static void interrupt(void) {
    source.device.transport->interrupt(&source.device);
    os2_interrupt_served(&source.interrupt, drain());
}

static void serve(const struct os2_message *m) {
    if (!m->caller)
        return;
    if (m->label != OS2_RANDOM_READ)
        os2_reply_fail(m->caller, OS2_E_INVALID);
    else if (source.used < source.full)
        answer(m->caller);
    else if (source.waiters < WAITERS)
        source.wait[source.waiters++] = m->caller;
    else
        os2_reply_fail(m->caller, OS2_E_BUSY);
}

static void begin(int argc, char **argv) {
    uint64_t features;
    void *memory;

    if (argc < 3 || !virtio_open(&source.device, (unsigned)argc - 2, argv + 2))
        give_up("no such device");
    if (os2_block_alloc(1, &memory) < 0)
        give_up("no memory for the queue");
    source.bytes = (uint8_t *)memory + VIRTIO_QUEUE_BYTES;
    os2_interrupt_open(&source.interrupt, source.name, source.machine, os2_start_handle("irq"), BIT_INTERRUPT, POLL_MS);
    if (!virtio_begin(&source.device, 0, &features) || !virtio_queue_open(&source.queue, &source.device, 0, 1, memory))
        give_up("the device does not begin");
    virtio_ready(&source.device);
    refill();
}

int main(int argc, char **argv) {
    bool registered = false;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    source.machine = os2_start_handle("machine");
    source.name = argc > 1 ? argv[1] : "random";
    begin(argc, argv);
    for (;;) {
        struct os2_message m = {0};
        int status;

        if (!registered)
            registered = os2_names_serve(source.name, BIT_NAMES) >= 0;
        m.w[4] = registered ? OS2_FOREVER : os2_deadline_ms(NAMES_RETRY_MS);
        if (source.waiters && os2_interrupt_deadline(&source.interrupt) < m.w[4])
            m.w[4] = os2_interrupt_deadline(&source.interrupt);
        status = os2_receive(OS2_F_DEADLINE, &m);
        if (status >= 0 && m.control & OS2_I_BITS && m.bits & BIT_NAMES)
            registered = false;
        if (status >= 0 && m.control & OS2_I_BITS && m.bits & BIT_INTERRUPT)
            interrupt();
        else if (!source.interrupt.handle)
            drain();
        if (status >= 0 && m.control & OS2_I_MESSAGE)
            serve(&m);
    }
}
