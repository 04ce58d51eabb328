/* SPDX-License-Identifier: MIT */
/*
 * Virtio queues and the driver of disks, on a device that the test plays: registers in memory, and a disk of SECTORS
 * behind a queue, which takes what is available, and is done with it in any order.
 *
 * The device sees memory by physical addresses, which here are wherever the host's memory is, less the exchange base.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch_user.h"

int blk_main(int argc, char **argv);
#define main blk_main
#include "drivers/virtio_blk.c" /* its state and its parts */
#undef main

#define BASE 0x10008000u
#define SECTORS 64u
#define BLK_FEATURES (VIRTIO_F_VERSION_1 | FEATURE_FLUSH)
enum { REG_READY = 0x44, REG_NOTIFY = 0x50, REG_INTERRUPT = 0x60, REG_INTERRUPT_END = 0x64 };

/* ---- The device. ---- */

static struct {
    uint32_t reg[64]; /* as they were written */
    uint32_t driver_features[2], status, interrupts;
    uint64_t features;
    uint16_t seen;                     /* of the driver's ring */
    uint16_t taken[VIRTIO_QUEUE_MOST]; /* heads that it works on */
    unsigned count, resets;
    bool deaf;                           /* it does not leave its reset */
    uint8_t disk[SECTORS * 512], answer; /* what it says of a request */
} device;

static void *memory_at(uint64_t physical_address) {
    return (void *)(uintptr_t)(physical_address + OS2_EXCHANGE_BASE);
}

static uint64_t reg64(unsigned offset) {
    return device.reg[offset / 4] | (uint64_t)device.reg[offset / 4 + 1] << 32;
}

uint32_t arch_device_read(uint64_t at, unsigned width) {
    assert_int_equal(width, 4);
    switch (at - BASE) {
    case VIRTIO_MMIO_MAGIC:
        return VIRTIO_MMIO_MAGIC_VALUE;
    case VIRTIO_MMIO_VERSION:
        return VIRTIO_MMIO_VERSION_MODERN;
    case 0x10:
        return (uint32_t)(device.features >> 32 * device.reg[0x14 / 4]);
    case 0x34:
        return VIRTIO_QUEUE_MOST;
    case REG_READY:
        return device.reg[REG_READY / 4];
    case REG_INTERRUPT:
        return device.interrupts;
    case VIRTIO_MMIO_STATUS:
        return device.status;
    case 0x100:
        return SECTORS;
    default:
        return 0;
    }
}

void arch_device_write(uint64_t at, unsigned width, uint32_t value) {
    unsigned offset = (unsigned)(at - BASE);

    assert_int_equal(width, 4);
    assert_true(offset < sizeof device.reg);
    device.reg[offset / 4] = value;
    if (offset == 0x20)
        device.driver_features[device.reg[0x24 / 4]] = value;
    if (offset == REG_INTERRUPT_END)
        device.interrupts &= ~value;
    if (offset != VIRTIO_MMIO_STATUS)
        return;
    device.status = value || device.deaf ? value | (device.deaf ? VIRTIO_FAILED : 0) : 0;
    if (value == 0) {
        device.resets++;
        device.count = device.seen = 0;
        device.reg[REG_READY / 4] = 0;
    }
}

/* Takes what the driver has made available since it looked last. */
static void device_look(void) {
    const uint16_t *ring = memory_at(reg64(0x90));

    assert_int_equal(device.status, 15);
    for (; device.seen != ring[1]; device.seen++)
        device.taken[device.count++] = ring[2 + device.seen % device.reg[0x38 / 4]];
}

/* Says that it is done with this head. */
static void device_used(uint32_t head, uint32_t size) {
    uint16_t *ring = memory_at(reg64(0xa0));
    struct virtio_used used = {head, size};

    memcpy((uint8_t *)ring + 4 + ring[1] % device.reg[0x38 / 4] * sizeof used, &used, sizeof used);
    ring[1]++;
    device.interrupts |= VIRTIO_INTERRUPT_QUEUE;
}

/* Does the request that it took as number `which`. */
static void device_do(unsigned which) {
    const struct virtio_descriptor *table = memory_at(reg64(0x80)), *d = &table[device.taken[which]];
    uint16_t head = device.taken[which];
    const struct shared *request = memory_at(d->address);

    assert_true(d->size == 16 && d->flags == 1);
    device.taken[which] = device.taken[--device.count];
    d = &table[d->next];
    if (request->type != TYPE_FLUSH) {
        assert_true(d->flags == (request->type == TYPE_READ ? 3 : 1) && d->size % 512 == 0);
        assert_true(request->sector + d->size / 512 <= SECTORS);
        uint8_t *on_disk = device.disk + request->sector * 512;
        if (request->type == TYPE_READ)
            memcpy(memory_at(d->address), on_disk, d->size);
        else
            memcpy(on_disk, memory_at(d->address), d->size);
        d = &table[d->next];
    }
    assert_true(d->flags == 2 && d->size == 1);
    *(uint8_t *)memory_at(d->address) = device.answer;
    device_used(head, 1);
}

/* ---- The system, as far as the driver calls it. ---- */

static uint64_t now, freed, quota;
static struct os2_message answers[64]; /* the driver's replies, in their order */
static unsigned answer_count, refusals, said;
static jmp_buf ended;

void arch_syscall(uint64_t *slots) {
    struct os2_message *m = (struct os2_message *)slots;
    assert_int_equal(m->control & OS2_NUMBER_MASK, OS2_SYS_reply);
    if ((int64_t)m->label == OS2_E_TIMEOUT) /* the device has let go of the block */
        assert_true(device.status == 0 && device.count == 0);
    answers[answer_count++ % 64] = *m;
    m->control = OS2_OK;
}
int os2_reply_fail(uint64_t caller, int reason) {
    assert_true(caller && reason == OS2_E_RIGHTS);
    refusals++;
    return OS2_OK;
}
int os2_block_alloc(unsigned order, void **ret_block) {
    *ret_block = aligned_alloc(OS2_PAGE_SIZE, OS2_PAGE_SIZE << order);
    memset(*ret_block, 0, OS2_PAGE_SIZE << order);
    return OS2_OK;
}
int os2_block_free(void *block) {
    free(block);
    freed++;
    return OS2_OK;
}
uint64_t os2_clock(uint64_t *ret_rate) {
    (void)ret_rate;
    return now++;
}
uint64_t os2_deadline_ms(uint64_t ms_from_now) {
    return now + ms_from_now;
}
void os2_log(unsigned machine, const char *format, ...) {
    (void)machine;
    (void)format;
    said++;
}
_Noreturn void os2_exit(uint64_t status) {
    longjmp(ended, (int)status);
}
uint64_t os2_quota_left(void) {
    return quota;
}
bool os2_service_begin(void) {
    return true;
}
unsigned os2_start_handle(const char *name) {
    (void)name;
    return 1;
}
int os2_names_serve(const char *name, uint64_t bits) {
    (void)name;
    (void)bits;
    return OS2_OK;
}
bool os2_string_number(const char *text, uint64_t *ret_number) {
    *ret_number = strtoull(text, NULL, 0);
    return true;
}
void os2_interrupt_open(struct os2_interrupt *interrupt, const char *name, unsigned machine, unsigned handle,
                        uint64_t bits, unsigned poll_ms) {
    *interrupt = (struct os2_interrupt){.device = name, .machine = machine, .handle = handle, .poll_ms = poll_ms};
    (void)bits;
}
void os2_interrupt_served(struct os2_interrupt *interrupt, bool worked) {
    (void)interrupt;
    (void)worked;
}
uint64_t os2_interrupt_deadline(const struct os2_interrupt *interrupt) {
    (void)interrupt;
    return OS2_FOREVER;
}

/* ---- Queues. ---- */

static struct virtio virtio;
static struct virtio_queue queue;
static void *queue_memory;

static void open_queue(void) {
    static char mmio[] = "mmio", base[] = "0x10008000";
    uint64_t features = 0;

    memset(&device, 0, sizeof device);
    device.features = BLK_FEATURES;
    assert_true(virtio_open(&virtio, 2, (char *[]){mmio, base}));
    assert_true(virtio_begin(&virtio, FEATURE_FLUSH | FEATURE_READ_ONLY, &features));
    assert_true(features == BLK_FEATURES);
    if (!queue_memory)
        os2_block_alloc(0, &queue_memory);
    assert_true(virtio_queue_open(&queue, &virtio, 0, VIRTIO_QUEUE_MOST, queue_memory));
    virtio_ready(&virtio);
}

static void test_begin(void **state) {
    uint64_t features;
    (void)state;
    open_queue();
    assert_true(device.resets == 1 && device.status == 15);
    assert_true(device.driver_features[0] == FEATURE_FLUSH && device.driver_features[1] == 1);
    device.features = FEATURE_FLUSH; /* of before virtio 1.0 */
    assert_false(virtio_begin(&virtio, FEATURE_FLUSH, &features));
    device.deaf = true;
    assert_false(virtio_begin(&virtio, FEATURE_FLUSH, &features));
}

/* Chains of 1 to 3 pieces, done in any order, until all indices have run around. */
static void test_ring(void **state) {
    unsigned flying[VIRTIO_QUEUE_MOST] = {0}, pieces_of[VIRTIO_QUEUE_MOST] = {0}, used = 0, most = 0;
    (void)state;
    srand(1);
    open_queue();
    for (unsigned done = 0; done < 70000;) {
        unsigned count = 1 + (unsigned)rand() % 3, head = VIRTIO_QUEUE_MOST;
        struct virtio_piece pieces[3] = {{1, 2, false}, {3, 4, false}, {5, done + 1, true}};
        bool fits = used + count <= VIRTIO_QUEUE_MOST;
        assert_int_equal(virtio_queue_add(&queue, pieces + 3 - count, count, &head), fits);
        if (fits) {
            assert_true(head < VIRTIO_QUEUE_MOST && pieces_of[head] == 0);
            pieces_of[head] = count;
            used += count;
            most = used > most ? used : most;
            virtio_queue_kick(&queue);
            device_look();
            assert_int_equal(device.taken[device.count - 1], head);
            flying[head] = done + 1;
            if (rand() % 20)
                continue;
        }
        while (device.count && rand() % 50) {
            unsigned which = (unsigned)rand() % device.count, got;
            uint32_t size;
            uint16_t at = device.taken[which];
            const struct virtio_descriptor *table = memory_at(reg64(0x80)), *last = &table[at];
            device.taken[which] = device.taken[--device.count];
            for (unsigned i = 1; i < pieces_of[at]; i++) {
                assert_int_equal(last->flags, 1);
                last = &table[last->next];
            }
            assert_true(last->flags == 2 && last->address == 5 && last->size == flying[at]);
            device_used(at, flying[at]);
            assert_true(virtio_queue_take(&queue, &got, &size) && got == at && size == flying[at]);
            used -= pieces_of[at];
            pieces_of[at] = 0;
            done++;
        }
    }
    assert_int_equal(most, VIRTIO_QUEUE_MOST);
    assert_false(queue.broken);
}

/* An answer that nobody asked for. */
static void test_lies(void **state) {
    const struct virtio_piece piece = {1, 2, true};
    unsigned head;
    uint32_t size;
    (void)state;
    for (unsigned lie = 0; lie < 4; lie++) {
        open_queue();
        assert_true(virtio_queue_add(&queue, &piece, 1, &head));
        device_used(head, 2);
        assert_true(virtio_queue_take(&queue, &head, &size));
        device_used((uint32_t[]){head, head + 1, VIRTIO_QUEUE_MOST, UINT32_MAX}[lie], 2);
        assert_false(virtio_queue_take(&queue, &head, &size));
        assert_true(queue.broken);
        assert_false(virtio_queue_take(&queue, &head, &size));
    }
}

/* ---- The driver. ---- */

static void begin_disk(uint64_t features) {
    static char mmio[] = "mmio", base[] = "0x10008000";

    memset(&device, 0, sizeof device);
    free(disk.memory);
    memset(&disk, 0, sizeof disk);
    device.features = features;
    for (unsigned i = 0; i < sizeof device.disk; i++)
        device.disk[i] = (uint8_t)(i / 512 * 7 + i);
    disk.name = "disk0";
    assert_true(virtio_open(&disk.device, 2, (char *[]){mmio, base}));
    os2_block_alloc(1, &disk.memory);
    disk.shared = (struct shared *)(void *)((uint8_t *)disk.memory + VIRTIO_QUEUE_BYTES);
    quota = OWN_PAGES + 4;
    disk.order = largest_order();
    assert_int_equal(disk.order, 1);
    disk.interrupt.handle = 1;
    assert_true(begin());
    answer_count = refusals = said = 0;
    freed = 0;
}

/* A request as a client makes it, with a block of 2^order pages that is filled with `fill`. Returns the block. */
static uint8_t *ask(uint64_t caller, enum os2_disk_operation what, uint64_t sector, uint64_t count, uint64_t at,
                    unsigned order, int fill) {
    struct os2_message m = {.label = what, .w = {sector, count, at}, .caller = caller};
    void *block = NULL;

    if (what == OS2_DISK_READ || what == OS2_DISK_WRITE) {
        os2_block_alloc(order, &block);
        memset(block, fill, OS2_PAGE_SIZE << order);
        m.control = OS2_I_MESSAGE | OS2_I_BLOCK | order << OS2_I_ORDER_SHIFT;
        m.w[3] = (uintptr_t)block;
    }
    serve(&m);
    return block;
}

static const struct os2_message *last_answer(uint64_t caller, int status) {
    const struct os2_message *m = &answers[(answer_count - 1) % 64];
    assert_true(answer_count && m->caller == caller);
    assert_int_equal((int64_t)m->label, status);
    return m;
}

static void device_all(void) {
    device_look();
    while (device.count)
        device_do(0);
    interrupt();
}

static void test_transfers(void **state) {
    uint8_t *first, *second;
    (void)state;
    begin_disk(BLK_FEATURES);
    first = ask(11, OS2_DISK_READ, 3, 2, 1024, 0, 0xee);
    second = ask(12, OS2_DISK_WRITE, 60, 4, 512, 1, 0xaa);
    device_look();
    assert_true(device.count == 2 && answer_count == 0 && disk.flying == 2);
    device_do(1); /* in the other order */
    interrupt();
    assert_true((uintptr_t)second == last_answer(12, OS2_OK)->w[3] && device.interrupts == 0);
    assert_true(device.disk[60 * 512] == 0xaa && device.disk[sizeof device.disk - 1] == 0xaa &&
                device.disk[60 * 512 - 1] != 0xaa);
    device_do(0);
    interrupt();
    assert_true((uintptr_t)first == last_answer(11, OS2_OK)->w[3]);
    assert_true(first[1023] == 0xee && first[2048] == 0xee && !memcmp(first + 1024, device.disk + 3 * 512, 1024));
    ask(13, OS2_DISK_FLUSH, 0, 0, 0, 0, 0);
    assert_int_equal(answer_count, 2);
    device_all();
    last_answer(13, OS2_OK);
    device.answer = 1; /* an error of the device */
    free(first);
    first = ask(14, OS2_DISK_READ, 0, 1, 0, 0, 0);
    device_all();
    assert_true((uintptr_t)first == last_answer(14, OS2_E_FAILED)->w[3] && disk.flying == 0);
    free(first);
    free(second);
    ask(15, OS2_DISK_INFO, 0, 0, 0, 0, 0);
    assert_true(last_answer(15, OS2_OK)->w[0] == SECTORS && answers[answer_count - 1].w[2] == 16);
}

static void test_refused(void **state) {
    static const struct {
        uint64_t sector, count, at;
    } bad[] = {{64, 1, 0},  {63, 2, 0},   {UINT64_MAX, 2, 0},       {0, 0, 0},         {0, 17, 0}, {0, 1, 1},
               {0, 8, 512}, {0, 1, 4096}, {0, 1, UINT64_MAX - 511}, {0, UINT64_MAX, 0}};
    (void)state;
    begin_disk(BLK_FEATURES | FEATURE_READ_ONLY);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t *block = ask(20 + i, OS2_DISK_READ, bad[i].sector, bad[i].count, bad[i].at, 0, 0);
        assert_true((uintptr_t)block == last_answer(20 + i, OS2_E_INVALID)->w[3]);
        free(block);
    }
    uint8_t *block = ask(50, OS2_DISK_WRITE, 0, 1, 0, 0, 0);
    assert_true((uintptr_t)block == last_answer(50, OS2_E_RIGHTS)->w[3]);
    struct os2_message m = {.label = OS2_DISK_READ, .w = {0, 1, 0}, .caller = 51, .badge = 1};
    m.control = OS2_I_MESSAGE | OS2_I_BLOCK;
    m.w[3] = (uintptr_t)block;
    serve(&m); /* not trusted: the block is gone */
    assert_true(refusals == 1 && freed == 1 && disk.flying == 0);
    device_look();
    assert_int_equal(device.count, 0);
}

/* So many that there is no more room: those get their block back, and when there is room all goes on. */
static void test_full(void **state) {
    uint8_t *block[REQUESTS + 1];
    (void)state;
    begin_disk(BLK_FEATURES);
    for (unsigned i = 0; i <= REQUESTS; i++)
        block[i] = ask(100 + i, OS2_DISK_READ, i, 1, 0, 0, 0);
    assert_true(disk.flying == REQUESTS && answer_count == 1);
    assert_true((uintptr_t)block[REQUESTS] == last_answer(100 + REQUESTS, OS2_E_BUSY)->w[3]);
    device_all();
    assert_int_equal(answer_count, 1 + REQUESTS);
    for (unsigned i = 0; i <= REQUESTS; i++) {
        assert_true(i == REQUESTS || !memcmp(block[i], device.disk + i * 512, 512));
        free(block[i]);
    }
    free(ask(200, OS2_DISK_READ, 0, 1, 0, 0, 0));
    device_look();
    assert_int_equal(device.count, 1);
}

/* A device that does not answer: it is reset before the blocks go back, and works on. */
static void test_timeout(void **state) {
    uint8_t *first, *second;
    (void)state;
    begin_disk(BLK_FEATURES);
    first = ask(31, OS2_DISK_READ, 1, 1, 0, 0, 0x55);
    second = ask(32, OS2_DISK_READ, 2, 1, 0, 0, 0x55);
    device_look();
    assert_true(requests_deadline() <= now + REQUEST_MS && requests_deadline() + 10 > now + REQUEST_MS);
    timed_out();
    assert_true(device.resets == 3 && answer_count == 2 && said == 1 && disk.flying == 0);
    assert_int_equal((int64_t)answers[0].label, OS2_E_TIMEOUT);
    assert_true(answers[0].w[3] == (uintptr_t)first && answers[1].w[3] == (uintptr_t)second);
    free(first);
    free(second);
    first = ask(33, OS2_DISK_READ, 1, 1, 0, 0, 0);
    device_all();
    last_answer(33, OS2_OK);
    free(first);
    /* One that does not leave its reset, or answers what was not asked, ends the driver, with nothing given back. */
    answer_count = 0;
    first = ask(34, OS2_DISK_READ, 1, 1, 0, 0, 0);
    device_look();
    device_used(77, 0);
    if (setjmp(ended) == 0)
        fail_msg("the driver goes on: %d", drain());
    device.deaf = true;
    if (setjmp(ended) == 0) {
        timed_out();
        fail_msg("the driver goes on");
    }
    assert_int_equal(answer_count, 0);
    free(first);
    free(disk.memory);
    free(queue_memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin),     cmocka_unit_test(test_ring),    cmocka_unit_test(test_lies),
        cmocka_unit_test(test_transfers), cmocka_unit_test(test_refused), cmocka_unit_test(test_full),
        cmocka_unit_test(test_timeout),
    };

    return cmocka_run_group_tests_name("virtio", tests, NULL, NULL);
}
