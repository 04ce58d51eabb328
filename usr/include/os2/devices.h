/* SPDX-License-Identifier: MIT */
/*
 * What the device manager tells: which devices the machine has, and which driver looks after each. The service is
 * registered as "devices" when all devices that are there at boot have been looked at. Every request is a call.
 *
 *   LIST  W0 = index. Out: LABEL = enum os2_device_class | enum os2_device_state << 8 | restarts << 16, W0, W1 = the
 *         name under which the driver serves (16 bytes, zero-padded), W2 = its process's slot (0: none), W3, W4 = the
 *         driver's program (16 bytes). Past the last device the call fails with OS2_E_INVALID.
 *   RESTART  W0 = process slot: the driver in it is ended, its device reset, and it is started again. OS2_E_INVALID: no
 *         driver is in that slot. Only those who hold a handle with badge 0 may.
 */
#ifndef OS2_DEVICES_H
#define OS2_DEVICES_H

#include <stdint.h>

enum os2_devices_operation { OS2_DEVICES_LIST = 1, OS2_DEVICES_RESTART };

enum os2_device_class { OS2_CLASS_OTHER, OS2_CLASS_DISK, OS2_CLASS_RANDOM, OS2_CLASS_NETWORK, OS2_CLASS_CLOCK };
enum os2_device_state { OS2_DEVICE_RUNS, OS2_DEVICE_WAITS /* to be started again */, OS2_DEVICE_GIVEN_UP };

struct os2_device_facts {
    enum os2_device_class class;
    enum os2_device_state state;
    unsigned restarts, slot;
    char name[17], driver[17];
};

int os2_devices_list(unsigned devices, unsigned index, struct os2_device_facts *ret_facts);

/* Waits until each device's driver serves or was given up: `names` leads to the name service. */
int os2_devices_wait(unsigned names);

int os2_devices_restart(unsigned devices, uint64_t slot);

#endif
