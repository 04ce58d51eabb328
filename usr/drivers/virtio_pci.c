/* SPDX-License-Identifier: MIT */
/*
 * Virtio devices on PCI (virtio 1.2, 4.1). Where their structures are, the device manager has read from the
 * capabilities; it has also set up bus mastering, the BARs and MSI-X, whose one vector, 0, all queues use. On a line
 * (INTx) reading the ISR byte lets it fall; with MSI-X there is nothing to read.
 */
#include "drivers/virtio.h"

#include "arch_user.h"

/* The common structure. */
enum {
    FEATURES_SELECT = 0,
    FEATURES = 4,
    DRIVER_FEATURES_SELECT = 8,
    DRIVER_FEATURES = 12,
    CONFIG_VECTOR = 16,
    GENERATION = 21,
    QUEUE_SELECT = 22,
    QUEUE_SIZE = 24,
    QUEUE_VECTOR = 26,
    QUEUE_ENABLE = 28,
    QUEUE_NOTIFY = 30,
    QUEUE_TABLE = 32,
    QUEUE_DRIVER = 40,
    QUEUE_USED = 48
};
#define NO_VECTOR 0xffffu

static uint32_t get(const struct virtio *device, unsigned offset, unsigned width) {
    return arch_device_read(device->base + offset, width);
}

static void put(const struct virtio *device, unsigned offset, unsigned width, uint32_t value) {
    arch_device_write(device->base + offset, width, value);
}

static void put64(const struct virtio *device, unsigned offset, uint64_t value) {
    put(device, offset, 4, (uint32_t)value);
    put(device, offset + 4, 4, (uint32_t)(value >> 32));
}

static uint8_t pci_status(const struct virtio *device) {
    return (uint8_t)get(device, VIRTIO_PCI_STATUS, 1);
}

static void pci_set_status(const struct virtio *device, uint8_t status) {
    put(device, VIRTIO_PCI_STATUS, 1, status);
}

static uint64_t pci_features(const struct virtio *device) {
    uint64_t features = 0;

    for (unsigned word = 2; word-- > 0;) {
        put(device, FEATURES_SELECT, 4, word);
        features = features << 32 | get(device, FEATURES, 4);
    }
    return features;
}

static void pci_set_features(const struct virtio *device, uint64_t features) {
    for (unsigned word = 0; word < 2; word++) {
        put(device, DRIVER_FEATURES_SELECT, 4, word);
        put(device, DRIVER_FEATURES, 4, (uint32_t)(features >> 32 * word));
    }
}

static unsigned pci_queue_most(const struct virtio *device, unsigned queue) {
    put(device, QUEUE_SELECT, 2, queue);
    return get(device, QUEUE_SIZE, 2);
}

/* With MSI-X off the vectors' registers are read only, or read as none: nothing is lost by writing them. */
static bool pci_queue_start(struct virtio *device, unsigned queue, unsigned size, uint64_t table, uint64_t driver,
                            uint64_t used) {
    put(device, CONFIG_VECTOR, 2, NO_VECTOR);
    put(device, QUEUE_SELECT, 2, queue);
    put(device, QUEUE_SIZE, 2, size);
    put(device, QUEUE_VECTOR, 2, 0);
    put64(device, QUEUE_TABLE, table);
    put64(device, QUEUE_DRIVER, driver);
    put64(device, QUEUE_USED, used);
    device->notify_at[queue] = device->notify + (uint64_t)get(device, QUEUE_NOTIFY, 2) * device->notify_multiplier;
    put(device, QUEUE_ENABLE, 2, 1);
    return true;
}

static void pci_notify(const struct virtio *device, unsigned queue) {
    arch_device_write(device->notify_at[queue], 2, queue);
}

static unsigned pci_interrupt(const struct virtio *device) {
    return device->isr ? arch_device_read(device->isr, 1) : VIRTIO_INTERRUPT_QUEUE;
}

static uint32_t pci_generation(const struct virtio *device) {
    return get(device, GENERATION, 1);
}

const struct virtio_transport virtio_pci = {
    .status = pci_status,
    .set_status = pci_set_status,
    .features = pci_features,
    .set_features = pci_set_features,
    .queue_most = pci_queue_most,
    .queue_start = pci_queue_start,
    .notify = pci_notify,
    .interrupt = pci_interrupt,
    .generation = pci_generation,
};
