/* SPDX-License-Identifier: MIT */
/*
 * Virtio devices (OASIS virtio 1.2), modern ones only: a way to reach a device, and its queues.
 *
 *     virtio_open(&device, argv + 1)             from the arguments that the device manager gave the driver
 *     virtio_begin(&device, features, &got)      reset, and features negotiated
 *     virtio_queue_open(&queue, &device, 0, most, memory)
 *     virtio_ready(&device)                      from here on it works
 *     virtio_queue_add(), virtio_queue_kick(), virtio_queue_take()
 *
 * Two transports, struct virtio_transport: registers in memory (virtio_mmio.c) and PCI (virtio_pci.c). They differ in
 * where registers are, not in what a driver does. Interrupts come by whatever handle the manager gave; a transport only
 * says why, where the device must be asked that for its line to fall.
 *
 * A queue is a split one (2.7): a table of descriptors, a ring of those that are the device's, and a ring of those that
 * it has used. All three are in one page, so a queue has at most VIRTIO_QUEUE_MOST descriptors. What the device writes,
 * the ring of used ones, is believed in nothing: an answer to what was not asked marks the device as broken.
 */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128
};
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)
#define VIRTIO_INTERRUPT_QUEUE 1u  /* a queue has used buffers */
#define VIRTIO_INTERRUPT_CONFIG 2u /* the configuration has changed, or the device is broken */

/* Registers of a device in memory, from `base` on. */
enum { VIRTIO_MMIO_MAGIC = 0, VIRTIO_MMIO_VERSION = 4, VIRTIO_MMIO_DEVICE = 8, VIRTIO_MMIO_STATUS = 0x70 };
#define VIRTIO_MMIO_MAGIC_VALUE 0x74726976u
#define VIRTIO_MMIO_VERSION_MODERN 2u

/* Registers of one on PCI, from its common structure on. */
enum { VIRTIO_PCI_STATUS = 20 };

struct virtio;

struct virtio_transport {
    uint8_t (*status)(const struct virtio *device);
    void (*set_status)(const struct virtio *device, uint8_t status);
    uint64_t (*features)(const struct virtio *device); /* that it offers */
    void (*set_features)(const struct virtio *device, uint64_t features);
    unsigned (*queue_most)(const struct virtio *device, unsigned queue); /* descriptors; 0: there is no such queue */
    /* The addresses are physical. False: the device does not take the queue. */
    bool (*queue_start)(struct virtio *device, unsigned queue, unsigned size, uint64_t table, uint64_t driver,
                        uint64_t used);
    void (*notify)(const struct virtio *device, unsigned queue);
    unsigned (*interrupt)(const struct virtio *device); /* why: VIRTIO_INTERRUPT_...; ends the cause */
    uint32_t (*generation)(const struct virtio *device);
};

#define VIRTIO_QUEUES 4u
struct virtio {
    const struct virtio_transport *transport;
    uint64_t base;              /* mmio: all registers; pci: the common structure */
    uint64_t notify, isr;       /* pci */
    uint32_t notify_multiplier; /* pci */
    uint64_t config;            /* the registers of the device's own kind */
    uint64_t notify_at[VIRTIO_QUEUES];
};

extern const struct virtio_transport virtio_mmio, virtio_pci;

/* The words are "mmio", base; or "pci", common, notify, multiplier, isr, config: `count` of them. False: they are not,
 * or there is no modern device. */
bool virtio_open(struct virtio *ret, unsigned count, char **words);

/* Resets the device, and takes those of `wanted` features that it offers; VERSION_1 is wanted always. False: the device
 * does not agree, or does not leave its reset. */
bool virtio_begin(struct virtio *device, uint64_t wanted, uint64_t *ret_features);
void virtio_ready(struct virtio *device);

/* The device forgets all its queues: what was in flight is the driver's again. False: it does not answer. */
bool virtio_reset(struct virtio *device);

uint32_t virtio_config32(const struct virtio *device, unsigned offset);
uint64_t virtio_config64(const struct virtio *device, unsigned offset);

/* ---- Queues. ---- */

#define VIRTIO_QUEUE_MOST 128u
#define VIRTIO_QUEUE_BYTES 4096u

/* As the device sees them: 2.7.5, 2.7.6, 2.7.8. */
struct virtio_descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};
struct virtio_used {
    uint32_t head, size;
};

struct virtio_queue {
    struct virtio *device;
    unsigned index, size;
    struct virtio_descriptor *table;
    uint16_t *available; /* flags, index, then `size` heads */
    uint16_t *used;      /* flags, index, then `size` of struct virtio_used */
    uint16_t free, free_count;
    uint16_t taken;                   /* used ones that were taken */
    uint16_t added, kicked;           /* heads that were added, and those that the device has been told of */
    uint16_t next[VIRTIO_QUEUE_MOST]; /* of a chain, or of the free ones; not the device's to change */
    uint8_t count[VIRTIO_QUEUE_MOST]; /* descriptors of the chain with this head; 0: none is in flight */
    bool broken;
};

/* A piece of a buffer: physical. */
struct virtio_piece {
    uint64_t address;
    uint32_t size;
    bool writes; /* the device writes it; these come last */
};

/* `memory` is a cleared block at its exchange address, VIRTIO_QUEUE_BYTES of it are the queue's. At most `most`
 * descriptors. False: the device has no such queue. */
bool virtio_queue_open(struct virtio_queue *ret, struct virtio *device, unsigned index, unsigned most, void *memory);

/* Gives the device a buffer of `count` pieces. *ret_head names it until it is taken. False: there is no room. */
bool virtio_queue_add(struct virtio_queue *queue, const struct virtio_piece *pieces, unsigned count,
                      unsigned *ret_head);

/* Tells the device of what was added. */
void virtio_queue_kick(struct virtio_queue *queue);

/* A buffer that the device is done with, and how much it wrote. False: there is none, or `broken`. */
bool virtio_queue_take(struct virtio_queue *queue, unsigned *ret_head, uint32_t *ret_size);

#endif
