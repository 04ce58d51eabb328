/* SPDX-License-Identifier: MIT */
/*
 * The driver of a virtio block device (virtio 1.2, 5.2): serves os2/disk.h. Arguments: the name to serve under, and
 * where the device is (drivers/virtio.h).
 *
 * A request's block is moved here by the message that asks, lies at its exchange address, and so is known to the device
 * by its physical one: the device reads and writes it where it is. It moves back with the answer, whenever that comes.
 * A request needs three descriptors: its header and its status, which lie in a page of this process, and the block's
 * part between them; so a third of the queue's size is in flight at once. Who comes when there is no more room is told
 * OS2_E_BUSY, with the block, and tries again (usr/lib/disk.c).
 *
 * What a client gives is charged to this process while it has it. The quota is what the device manager gave; the most
 * sectors of one request follow from that: two of the largest must fit.
 *
 * A request that the device does not answer within REQUEST_MS: the device is reset, which takes all requests back from
 * it, they fail with OS2_E_TIMEOUT, and it begins anew. A device that does not even do that, or answers what was not
 * asked, ends this process. Its supervisor, the device manager, resets the device before any memory is given on.
 */
#include "drivers/virtio.h"
#include "os2/call.h"
#include "os2/devices.h"
#include "os2/disk.h"
#include "os2/interrupt.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define BIT_NAMES 1u
#define BIT_INTERRUPT 2u
#define NAMES_RETRY_MS 200u
#define POLL_MS 1u
#define REQUEST_MS 30000u
#define OWN_PAGES 16u /* of the quota, for page tables and what comes */

#define FEATURE_SIZE_MAX (UINT64_C(1) << 1)
#define FEATURE_READ_ONLY (UINT64_C(1) << 5)
#define FEATURE_FLUSH (UINT64_C(1) << 9)
enum { CONFIG_SECTORS = 0, CONFIG_SIZE_MAX = 8 };
enum { TYPE_READ = 0, TYPE_WRITE = 1, TYPE_FLUSH = 4 };
enum { STATUS_OK = 0, STATUS_UNSUPPORTED = 2, STATUS_NONE = 0xff };
#define PIECES 3u
#define REQUESTS (VIRTIO_QUEUE_MOST / PIECES)

/* What the device sees of a request beside the block. */
struct shared {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status, unused[15];
};
_Static_assert(sizeof(struct shared) * REQUESTS <= OS2_PAGE_SIZE, "they are one page");

struct request {
    uint64_t caller; /* 0: none */
    void *block;     /* null: it has none */
    uint64_t deadline;
};

static struct {
    struct virtio device;
    struct virtio_queue queue;
    struct os2_interrupt interrupt;
    struct shared *shared;
    struct request request[REQUESTS];
    uint8_t by_head[VIRTIO_QUEUE_MOST];
    unsigned flying;
    void *memory; /* the queue's page, then the shared one */
    uint64_t features, sectors;
    unsigned most, order; /* of one request: sectors; of its block */
    unsigned machine;
    const char *name;
} disk;

/* Answers with the block, if there is one, which is the client's in any case where it still waits. */
static void answer(uint64_t caller, void *block, int status) {
    struct os2_message m = {.caller = caller, .label = (uint64_t)(int64_t)status};

    m.w[3] = (uintptr_t)block;
    status = os2_reply(block ? OS2_F_BLOCK : 0, &m);
    if (status < 0 && block)
        os2_block_free(block);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(caller, status);
}

static void request_done(struct request *request, int status) {
    struct request done = *request;

    *request = (struct request){0};
    disk.flying--;
    answer(done.caller, done.block, status);
}

static int status_of(uint8_t status) {
    if (status == STATUS_OK)
        return OS2_OK;
    return status == STATUS_UNSUPPORTED ? OS2_E_INVALID : OS2_E_FAILED;
}

/* Gives a request to the device. OS2_E_BUSY: there is no room. */
static int request_start(uint64_t caller, uint32_t type, uint64_t sector, void *block, uint64_t at, uint32_t size) {
    unsigned place = 0, count = 0, head;
    struct virtio_piece pieces[PIECES];

    while (place < REQUESTS && disk.request[place].caller)
        place++;
    if (place == REQUESTS)
        return OS2_E_BUSY;
    struct shared *shared = &disk.shared[place];
    uint64_t own = (uintptr_t)shared - OS2_EXCHANGE_BASE;
    *shared = (struct shared){.type = type, .sector = sector, .status = STATUS_NONE};
    pieces[count++] = (struct virtio_piece){own, offsetof(struct shared, status), false};
    if (size)
        pieces[count++] = (struct virtio_piece){(uintptr_t)block - OS2_EXCHANGE_BASE + at, size, type == TYPE_READ};
    pieces[count++] = (struct virtio_piece){own + offsetof(struct shared, status), 1, true};
    if (!virtio_queue_add(&disk.queue, pieces, count, &head))
        return OS2_E_BUSY;
    disk.by_head[head] = (uint8_t)place;
    disk.request[place] = (struct request){.caller = caller, .block = block, .deadline = os2_deadline_ms(REQUEST_MS)};
    disk.flying++;
    virtio_queue_kick(&disk.queue);
    return OS2_OK;
}

/* A READ or WRITE as it came: is it one that there can be? */
static int request_check(const struct os2_message *m) {
    uint64_t sector = m->w[0], count = m->w[1], at = m->w[2], room;

    if (!(m->control & OS2_I_BLOCK) || count == 0 || count > disk.most || at % OS2_DISK_SECTOR)
        return OS2_E_INVALID;
    room = OS2_PAGE_SIZE << os2_message_order(m);
    if (at > room || count * OS2_DISK_SECTOR > room - at)
        return OS2_E_INVALID;
    if (sector > disk.sectors || count > disk.sectors - sector)
        return OS2_E_INVALID;
    return m->label == OS2_DISK_WRITE && disk.features & FEATURE_READ_ONLY ? OS2_E_RIGHTS : OS2_OK;
}

static void serve_info(uint64_t caller) {
    struct os2_message m = {.caller = caller,
                            .w = {disk.sectors, disk.features & FEATURE_READ_ONLY ? OS2_DISK_READ_ONLY : 0, disk.most}};
    os2_reply(0, &m);
}

/* Without the feature the device has written when it answers. */
static int serve_flush(uint64_t caller) {
    if (disk.features & FEATURE_FLUSH)
        return request_start(caller, TYPE_FLUSH, 0, NULL, 0, 0);
    answer(caller, NULL, OS2_OK);
    return OS2_OK;
}

static void serve(const struct os2_message *m) {
    void *block = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL;
    int status = OS2_E_INVALID;

    if (!m->caller || m->badge != 0) {
        if (block)
            os2_block_free(block);
        if (m->caller)
            os2_reply_fail(m->caller, OS2_E_RIGHTS);
        return;
    }
    switch (m->label) {
    case OS2_DISK_INFO:
        serve_info(m->caller);
        if (block)
            os2_block_free(block);
        return;
    case OS2_DISK_READ:
    case OS2_DISK_WRITE:
        status = request_check(m);
        if (status >= 0)
            status = request_start(m->caller, m->label == OS2_DISK_READ ? TYPE_READ : TYPE_WRITE, m->w[0], block,
                                   m->w[2], (uint32_t)(m->w[1] * OS2_DISK_SECTOR));
        break;
    case OS2_DISK_FLUSH:
        if (!block)
            status = serve_flush(m->caller);
        break;
    default:
        break;
    }
    if (status < 0)
        answer(m->caller, block, status);
}

/* Ends this process, with a line that says why; the device manager deals with the device. */
static _Noreturn void give_up(const char *why) {
    os2_log(disk.machine, "%s: %s\n", disk.name, why);
    os2_exit(1);
}

/* Takes what the device is done with. */
static bool drain(void) {
    unsigned head;
    uint32_t size;
    bool any = false;

    while (virtio_queue_take(&disk.queue, &head, &size)) {
        unsigned place = disk.by_head[head];
        request_done(&disk.request[place], status_of(disk.shared[place].status));
        any = true;
    }
    if (disk.queue.broken)
        give_up("the device answers what was not asked");
    return any;
}

static void interrupt(void) {
    unsigned why = disk.device.transport->interrupt(&disk.device);
    bool worked = drain();

    if (why & VIRTIO_INTERRUPT_CONFIG && disk.device.transport->status(&disk.device) & VIRTIO_NEEDS_RESET)
        give_up("the device has failed");
    os2_interrupt_served(&disk.interrupt, worked);
}

/* ---- Its beginning, and its beginning anew. ---- */

static bool begin(void) {
    if (!virtio_begin(&disk.device, FEATURE_SIZE_MAX | FEATURE_READ_ONLY | FEATURE_FLUSH, &disk.features) ||
        !virtio_queue_open(&disk.queue, &disk.device, 0, VIRTIO_QUEUE_MOST, disk.memory) || disk.queue.size < PIECES)
        return false;
    disk.sectors = virtio_config64(&disk.device, CONFIG_SECTORS);
    disk.most = (unsigned)((OS2_PAGE_SIZE << disk.order) / OS2_DISK_SECTOR);
    if (disk.features & FEATURE_SIZE_MAX) {
        uint32_t size_max = virtio_config32(&disk.device, CONFIG_SIZE_MAX) / OS2_DISK_SECTOR;
        disk.most = size_max && size_max < disk.most ? size_max : disk.most;
    }
    virtio_ready(&disk.device);
    return true;
}

/* The largest block that a request may give: two of them are within the quota. */
static unsigned largest_order(void) {
    uint64_t left = os2_quota_left();
    unsigned order = OS2_DISK_ORDER;

    left = left > OWN_PAGES ? left - OWN_PAGES : 0;
    while (order > 0 && (UINT64_C(2) << order) > left)
        order--;
    return order;
}

/* The device has not answered in time. */
static void timed_out(void) {
    os2_log(disk.machine, "%s: no answer within %u s: the device is reset, %u requests fail\n", disk.name,
            REQUEST_MS / 1000, disk.flying);
    if (!virtio_reset(&disk.device))
        give_up("the device does not leave its reset");
    for (unsigned i = 0; i < REQUESTS; i++)
        if (disk.request[i].caller)
            request_done(&disk.request[i], OS2_E_TIMEOUT);
    if (!begin())
        give_up("the device does not begin anew");
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* When the oldest request must have been answered. */
static uint64_t requests_deadline(void) {
    uint64_t first = OS2_FOREVER;

    for (unsigned i = 0; disk.flying && i < REQUESTS; i++)
        if (disk.request[i].caller)
            first = earlier(first, disk.request[i].deadline);
    return first;
}

static void serve_once(bool *registered) {
    uint64_t limit = requests_deadline();
    struct os2_message m = {.w = {[4] = limit}};
    int status;

    if (!*registered)
        *registered = os2_names_serve(disk.name, BIT_NAMES) >= 0;
    if (!*registered)
        m.w[4] = earlier(m.w[4], os2_deadline_ms(NAMES_RETRY_MS));
    if (disk.flying)
        m.w[4] = earlier(m.w[4], os2_interrupt_deadline(&disk.interrupt));
    status = os2_receive(OS2_F_DEADLINE | OS2_ACCEPT(disk.order), &m);
    if (status >= 0 && m.control & OS2_I_BITS && m.bits & BIT_NAMES)
        *registered = false;
    if (status >= 0 && m.control & OS2_I_BITS && m.bits & BIT_INTERRUPT)
        interrupt();
    else if (!disk.interrupt.handle)
        drain();
    if (status >= 0 && m.control & OS2_I_MESSAGE)
        serve(&m);
    if (disk.flying && os2_clock(NULL) >= limit && !drain())
        timed_out();
}

int main(int argc, char **argv) {
    bool registered = false;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    disk.machine = os2_start_handle("machine");
    disk.name = argc > 1 ? argv[1] : "disk";
    if (argc < 3 || !virtio_open(&disk.device, (unsigned)argc - 2, argv + 2))
        give_up("no such device");
    if (os2_block_alloc(1, &disk.memory) < 0)
        give_up("no memory for the queue");
    disk.shared = (struct shared *)(void *)((uint8_t *)disk.memory + VIRTIO_QUEUE_BYTES);
    disk.order = largest_order();
    os2_interrupt_open(&disk.interrupt, disk.name, disk.machine, os2_start_handle("irq"), BIT_INTERRUPT, POLL_MS);
    if (!begin())
        give_up("the device does not begin");
    for (;;)
        serve_once(&registered);
}
