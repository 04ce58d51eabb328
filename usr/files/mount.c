/* SPDX-License-Identifier: MIT */
/*
 * Mounting what is on the disks: for each disk that the device manager knows, each partition that has a FAT.
 *
 * The one that is labelled "OS2" is "/disk"; a board's card has firmware's partitions besides. Where none is, the first
 * one is. Others are named after their label, in small letters, or where they have none, or another one of that label
 * is there, "/disk2" and so on.
 */
#include "files/disk.h"
#include "files/fat_volume.h"
#include "files/volume.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/devices.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/time.h"
#include "os2/wallclock.h"

#define CACHE_SECTORS 64u
#define CACHE_ORDER 3u
_Static_assert(CACHE_SECTORS *FAT_SECTOR == OS2_PAGE_SIZE << CACHE_ORDER, "the sectors of a volume are one block");
#define LABEL_OWN "OS2"
#define PATH_OWN "/disk"
#define MANAGER_WAIT_MS 5000u /* for the device manager, at boot */
#define MANAGER_PAUSE_MS 10u
#define NS_PER_SECOND UINT64_C(1000000000)

static struct disk disks[DISKS];
static struct fat_cache_sector sectors[VOLUMES][CACHE_SECTORS];
static unsigned mounted;

uint64_t fat_volume_now(void) {
    uint64_t ns;

    return os2_time_of_day(&ns) < 0 ? 0 : ns / NS_PER_SECOND;
}

/* A volume's path: no other one has it. */
static void mount_path(const char *label, char ret_path[64]) {
    size_t used = 1;

    ret_path[0] = '/';
    for (const char *at = label; *at && used < 32; at++) {
        char c = *at >= 'A' && *at <= 'Z' ? (char)(*at | 32) : *at;
        ret_path[used++] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ? c : '_';
    }
    ret_path[used] = 0;
    if (strcmp(label, LABEL_OWN) == 0 && !volumes_has(PATH_OWN))
        os2_string_copy(ret_path, 64, PATH_OWN);
    else if (used == 1 || volumes_has(ret_path) || strcmp(ret_path, PATH_OWN) == 0)
        format(ret_path, 64, PATH_OWN "%u", mounted + 1);
}

/* Where no volume has the label, the first one is "/disk". */
static void mount_own(void) {
    struct volume *volume;

    for (unsigned i = 0; !volumes_has(PATH_OWN) && (volume = volumes_mounted(i)); i++)
        if (volume->type == &fat_type)
            os2_string_copy(volume->path, sizeof(volume->path), PATH_OWN);
}

/* Mounts one partition. OS2_FILE_E_UNKNOWN: it has no FAT. */
static int mount_partition(struct disk *disk, const struct fat_device *device, const struct fat_partition *partition) {
    struct volume *volume = volumes_add("", "", "", &fat_type);
    char path[sizeof(volume->path)];
    void *bytes;
    int status;

    if (!volume)
        return OS2_E_FULL;
    status = os2_block_alloc(CACHE_ORDER, &bytes);
    if (status < 0) {
        volume->type = NULL;
        return status;
    }
    volume->sectors = sectors[mounted];
    for (unsigned i = 0; i < CACHE_SECTORS; i++)
        volume->sectors[i] =
            (struct fat_cache_sector){.sector = UINT64_MAX, .bytes = (uint8_t *)bytes + i * FAT_SECTOR};
    status = fat_mount(&volume->fat, device, partition, volume->sectors, CACHE_SECTORS);
    if (status < 0) {
        os2_block_free(bytes);
        volume->type = NULL;
        return status;
    }
    mount_path(volume->fat.label, path);
    memcpy(volume->path, path, sizeof(path));
    volume->kind = volume->fat.bits == 32 ? "FAT32" : "FAT16";
    format(volume->device, sizeof(volume->device), partition->number ? "%s, partition %u" : "%s", disk->name,
           partition->number);
    volume->read_only = volume->fat.read_only;
    volume->disk = disk;
    mounted++;
    return OS2_OK;
}

/* Mounts all that is on a disk; what cannot be is said in the log. A slot without a card is OS2_FILE_E_DEVICE. */
static int mount_disk(const char *name, struct disk *disk) {
    unsigned machine = os2_start_handle("machine");
    int status = disk_open(disk, name), found = OS2_OK;
    struct fat_partition partition;
    struct fat_device device;
    unsigned count = 0;

    if (status >= 0 && disk->info.sectors == 0)
        status = OS2_FILE_E_DEVICE;
    if (status < 0)
        return status;
    device = disk_device(disk);
    for (; (found = fat_partition_find(&device, count, &partition)) >= 0; count++) {
        status = mount_partition(disk, &device, &partition);
        if (status < 0)
            os2_log(machine, partition.number ? "%s is not mounted: %s; partition %u\n" : "%s is not mounted: %s\n",
                    name, os2_status_text(status), partition.number);
    }
    if (found != OS2_FILE_E_NONE)
        os2_log(machine, "%s: its partitions cannot be read: %s\n", name, os2_status_text(found));
    else if (!count)
        os2_log(machine, "%s has no file system that is known here\n", name);
    return OS2_OK;
}

static struct disk *disk_of(const char *name) {
    for (unsigned i = 0; i < DISKS; i++)
        if (strcmp(disks[i].name, name) == 0)
            return &disks[i];
    return NULL;
}

/* Finds the device manager; it may not be there yet. */
static int manager_find(unsigned *ret_devices) {
    uint64_t end = os2_now_ns() + MANAGER_WAIT_MS * UINT64_C(1000000);
    int status;

    do {
        status = os2_names_find("devices", false, ret_devices);
    } while (status < 0 && os2_now_ns() < end && os2_sleep_ms(MANAGER_PAUSE_MS) >= 0);
    return status;
}

void fat_volumes_mount(bool *ret_again) {
    struct os2_device_facts facts;
    unsigned devices;
    int status = manager_find(&devices);

    if (status < 0) {
        *ret_again = true;
        return;
    }
    for (unsigned i = 0; (status = os2_devices_list(devices, i, &facts)) >= 0; i++) {
        struct disk *disk;
        if (facts.class != OS2_CLASS_DISK || disk_of(facts.name))
            continue;
        if (facts.state == OS2_DEVICE_GIVEN_UP) { /* nothing to wait for, unless there is a new manager */
            *ret_again = true;
            continue;
        }
        if (!(disk = disk_of("")))
            continue;
        if (mount_disk(facts.name, disk) < 0) {
            disk_close(disk);
            *ret_again = true;
        }
    }
    mount_own();
    *ret_again |= status == OS2_E_DIED;
    os2_handle_close(devices);
}
