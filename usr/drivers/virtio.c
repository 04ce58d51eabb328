/* SPDX-License-Identifier: MIT */
/*
 * Virtio: the beginning of a device, and split queues (drivers/virtio.h).
 *
 * Order of memory. The device reads the table and the driver's ring, and writes the ring of used ones, as another
 * processor would: without VIRTIO_F_ORDER_PLATFORM it is one, or is coherent with them (6.1). So the three orders that
 * matter are those of the language: a release store of the driver's index, behind the descriptors that it shows; an
 * acquire load of the used index, before what that shows; and a full fence between the driver's index and the look at
 * whether the device wants to be told of it, which pairs with the device's own between its flag and its last look.
 */
#include "drivers/virtio.h"

#include "arch_user.h"
#include "os2/call.h"
#include "os2/string.h"
#include "os2/time.h"

#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_WRITES 2u
#define USED_NO_NOTIFY 1u
#define NONE 0xffffu
#define RESET_MS 1000u

enum { RING_FLAGS, RING_INDEX, RING_ENTRIES };

/* Table, driver's ring, used ring: 16, 2 and 8 bytes for each descriptor, the rings with 4 and 2 bytes more. */
#define QUEUE_DRIVER (VIRTIO_QUEUE_MOST * sizeof(struct virtio_descriptor))
#define QUEUE_USED (QUEUE_DRIVER + 4 + 2 * VIRTIO_QUEUE_MOST + 4)
_Static_assert(QUEUE_USED % 4 == 0, "the used ring is aligned to 4");
_Static_assert(QUEUE_USED + 4 + VIRTIO_QUEUE_MOST * sizeof(struct virtio_used) + 2 <= VIRTIO_QUEUE_BYTES,
               "a queue is one page");

static uint64_t physical(const void *memory) {
    return (uintptr_t)memory - OS2_EXCHANGE_BASE;
}

bool virtio_open(struct virtio *ret, unsigned count, char **words) {
    uint64_t number[5];

    for (unsigned i = 0; i + 1 < count && i < 5; i++)
        if (!os2_string_number(words[i + 1], &number[i]))
            return false;
    if (count == 2 && strcmp(words[0], "mmio") == 0) {
        *ret = (struct virtio){.transport = &virtio_mmio, .base = number[0], .config = number[0] + 0x100};
        return arch_device_read(number[0] + VIRTIO_MMIO_MAGIC, 4) == VIRTIO_MMIO_MAGIC_VALUE &&
               arch_device_read(number[0] + VIRTIO_MMIO_VERSION, 4) == VIRTIO_MMIO_VERSION_MODERN;
    }
    if (count == 6 && strcmp(words[0], "pci") == 0) {
        *ret = (struct virtio){.transport = &virtio_pci,
                               .base = number[0],
                               .notify = number[1],
                               .notify_multiplier = (uint32_t)number[2],
                               .isr = number[3],
                               .config = number[4]};
        return true;
    }
    return false;
}

bool virtio_reset(struct virtio *device) {
    uint64_t limit = os2_deadline_ms(RESET_MS);

    device->transport->set_status(device, 0);
    while (device->transport->status(device) != 0)
        if (os2_clock(NULL) >= limit)
            return false;
    return true;
}

bool virtio_begin(struct virtio *device, uint64_t wanted, uint64_t *ret_features) {
    const struct virtio_transport *transport = device->transport;
    uint64_t features;

    if (!virtio_reset(device))
        return false;
    transport->set_status(device, VIRTIO_ACKNOWLEDGE);
    transport->set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    features = transport->features(device);
    if (!(features & VIRTIO_F_VERSION_1))
        return false;
    features &= wanted | VIRTIO_F_VERSION_1;
    transport->set_features(device, features);
    transport->set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    if (!(transport->status(device) & VIRTIO_FEATURES_OK))
        return false;
    *ret_features = features;
    return true;
}

void virtio_ready(struct virtio *device) {
    device->transport->set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

uint32_t virtio_config32(const struct virtio *device, unsigned offset) {
    return arch_device_read(device->config + offset, 4);
}

/* Two reads; what changes between them is read again (2.5.1). */
uint64_t virtio_config64(const struct virtio *device, unsigned offset) {
    for (;;) {
        uint32_t generation = device->transport->generation(device);
        uint64_t low = virtio_config32(device, offset), high = virtio_config32(device, offset + 4);
        if (device->transport->generation(device) == generation)
            return high << 32 | low;
    }
}

/* ---- Queues. ---- */

bool virtio_queue_open(struct virtio_queue *ret, struct virtio *device, unsigned index, unsigned most, void *memory) {
    unsigned size = device->transport->queue_most(device, index);
    uint8_t *bytes = memory;

    if (size == 0 || index >= VIRTIO_QUEUES)
        return false;
    size = size < most ? size : most;
    size = size < VIRTIO_QUEUE_MOST ? size : VIRTIO_QUEUE_MOST;
    while (size & (size - 1)) /* a power of two: the indices run through 65 536 */
        size &= size - 1;
    memset(memory, 0, VIRTIO_QUEUE_BYTES);
    *ret = (struct virtio_queue){
        .device = device,
        .index = index,
        .size = size,
        .table = memory,
        .available = (uint16_t *)(void *)(bytes + QUEUE_DRIVER),
        .used = (uint16_t *)(void *)(bytes + QUEUE_USED),
        .free_count = (uint16_t)size,
    };
    for (unsigned i = 0; i < size; i++)
        ret->next[i] = (uint16_t)(i + 1 < size ? i + 1 : NONE);
    return device->transport->queue_start(device, index, size, physical(ret->table), physical(ret->available),
                                          physical(ret->used));
}

bool virtio_queue_add(struct virtio_queue *queue, const struct virtio_piece *pieces, unsigned count,
                      unsigned *ret_head) {
    uint16_t head = queue->free, at = head, last = head;

    if (count == 0 || count > queue->free_count)
        return false;
    for (unsigned i = 0; i < count; i++, at = queue->next[at]) {
        bool more = i + 1 < count;
        queue->table[at] = (struct virtio_descriptor){
            .address = pieces[i].address,
            .size = pieces[i].size,
            .flags = (uint16_t)((more ? DESCRIPTOR_NEXT : 0) | (pieces[i].writes ? DESCRIPTOR_WRITES : 0)),
            .next = more ? queue->next[at] : 0,
        };
        last = at;
    }
    queue->free = queue->next[last];
    queue->next[last] = NONE;
    queue->free_count = (uint16_t)(queue->free_count - count);
    queue->count[head] = (uint8_t)count;
    queue->available[RING_ENTRIES + queue->added % queue->size] = head;
    queue->added++;
    /* Pairs with the device's load of the index. */
    __atomic_store_n(&queue->available[RING_INDEX], queue->added, __ATOMIC_RELEASE);
    *ret_head = head;
    return true;
}

void virtio_queue_kick(struct virtio_queue *queue) {
    if (queue->kicked == queue->added)
        return;
    queue->kicked = queue->added;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!(__atomic_load_n(&queue->used[RING_FLAGS], __ATOMIC_RELAXED) & USED_NO_NOTIFY))
        queue->device->transport->notify(queue->device, queue->index);
}

bool virtio_queue_take(struct virtio_queue *queue, unsigned *ret_head, uint32_t *ret_size) {
    struct virtio_used used;
    uint16_t last;

    /* Pairs with the device's store of the index. */
    if (queue->broken || __atomic_load_n(&queue->used[RING_INDEX], __ATOMIC_ACQUIRE) == queue->taken)
        return false;
    memcpy(&used, (uint8_t *)&queue->used[RING_ENTRIES] + queue->taken % queue->size * sizeof(used), sizeof(used));
    if (used.head >= queue->size || queue->count[used.head] == 0) {
        queue->broken = true;
        return false;
    }
    queue->taken++;
    last = (uint16_t)used.head;
    for (unsigned i = 1; i < queue->count[used.head]; i++)
        last = queue->next[last];
    queue->next[last] = queue->free;
    queue->free = (uint16_t)used.head;
    queue->free_count = (uint16_t)(queue->free_count + queue->count[used.head]);
    queue->count[used.head] = 0;
    *ret_head = used.head;
    *ret_size = used.size;
    return true;
}
