/* SPDX-License-Identifier: MIT */
/* Virtio devices whose registers are in memory (virtio 1.2, 4.2). */
#include "drivers/virtio.h"

#include "arch_user.h"

enum {
    FEATURES = 0x10,
    FEATURES_SELECT = 0x14,
    DRIVER_FEATURES = 0x20,
    DRIVER_FEATURES_SELECT = 0x24,
    QUEUE_SELECT = 0x30,
    QUEUE_MOST = 0x34,
    QUEUE_SIZE = 0x38,
    QUEUE_READY = 0x44,
    QUEUE_NOTIFY = 0x50,
    INTERRUPT_STATUS = 0x60,
    INTERRUPT_END = 0x64,
    QUEUE_TABLE = 0x80, /* each of the three: the low word, then the high one */
    QUEUE_DRIVER = 0x90,
    QUEUE_USED = 0xa0,
    GENERATION = 0xfc
};

static uint32_t get(const struct virtio *device, unsigned offset) {
    return arch_device_read(device->base + offset, 4);
}

static void put(const struct virtio *device, unsigned offset, uint32_t value) {
    arch_device_write(device->base + offset, 4, value);
}

static void put64(const struct virtio *device, unsigned offset, uint64_t value) {
    put(device, offset, (uint32_t)value);
    put(device, offset + 4, (uint32_t)(value >> 32));
}

static uint8_t mmio_status(const struct virtio *device) {
    return (uint8_t)get(device, VIRTIO_MMIO_STATUS);
}

static void mmio_set_status(const struct virtio *device, uint8_t status) {
    put(device, VIRTIO_MMIO_STATUS, status);
}

static uint64_t mmio_features(const struct virtio *device) {
    uint64_t features = 0;

    for (unsigned word = 2; word-- > 0;) {
        put(device, FEATURES_SELECT, word);
        features = features << 32 | get(device, FEATURES);
    }
    return features;
}

static void mmio_set_features(const struct virtio *device, uint64_t features) {
    for (unsigned word = 0; word < 2; word++) {
        put(device, DRIVER_FEATURES_SELECT, word);
        put(device, DRIVER_FEATURES, (uint32_t)(features >> 32 * word));
    }
}

static unsigned mmio_queue_most(const struct virtio *device, unsigned queue) {
    put(device, QUEUE_SELECT, queue);
    return get(device, QUEUE_MOST);
}

static bool mmio_queue_start(struct virtio *device, unsigned queue, unsigned size, uint64_t table, uint64_t driver,
                             uint64_t used) {
    put(device, QUEUE_SELECT, queue);
    if (get(device, QUEUE_READY))
        return false;
    put(device, QUEUE_SIZE, size);
    put64(device, QUEUE_TABLE, table);
    put64(device, QUEUE_DRIVER, driver);
    put64(device, QUEUE_USED, used);
    put(device, QUEUE_READY, 1);
    return true;
}

static void mmio_notify(const struct virtio *device, unsigned queue) {
    put(device, QUEUE_NOTIFY, queue);
}

static unsigned mmio_interrupt(const struct virtio *device) {
    uint32_t why = get(device, INTERRUPT_STATUS);

    if (why)
        put(device, INTERRUPT_END, why);
    return why;
}

static uint32_t mmio_generation(const struct virtio *device) {
    return get(device, GENERATION);
}

const struct virtio_transport virtio_mmio = {
    .status = mmio_status,
    .set_status = mmio_set_status,
    .features = mmio_features,
    .set_features = mmio_set_features,
    .queue_most = mmio_queue_most,
    .queue_start = mmio_queue_start,
    .notify = mmio_notify,
    .interrupt = mmio_interrupt,
    .generation = mmio_generation,
};
