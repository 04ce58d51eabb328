/* SPDX-License-Identifier: MIT */
/*
 * The driver of a slot for SD cards on SPI: serves os2/disk.h. Arguments: the name to serve under, "mmio" and the
 * address of the controller's registers, its clock in Hz (0: not known), the chip select, and how fast the slot can be.
 *
 * There is no DMA: the bytes go between the controller's queues and the block that a client gave, wherever that is. One
 * request is worked on at a time, as a card can do no more; who asks meanwhile waits in the kernel. So that this is not
 * long a request has SECTORS_MOST at the most, which take 30 ms.
 *
 * The slot cannot tell whether there is a card. Where there is none, one is looked for each LOOK_MS: that is ten bytes
 * of clock and a command, half a millisecond of work, and between this process sleeps. The disk has no sectors then,
 * and all requests but INFO fail. A card that does not answer any more is taken for gone, which is said once.
 *
 * A client keeps in memory what it read of a card. If another card came in its place, that client would write what it
 * knows of the old one to the new one. So once a card was read or written, only that card is served, by its number
 * (CID), until this driver is started again. What somebody does to the card meanwhile, elsewhere, is not noticed.
 */
#include "drivers/sd_card.h"
#include "os2/call.h"
#include "os2/disk.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define BIT_NAMES 1u
#define NAMES_RETRY_MS 200u
#define LOOK_MS 1000u
#define SECTORS_MOST 128u
#define OWN_PAGES 16u /* of the quota, for page tables and what comes */
#define ARGUMENTS 7

static struct {
    struct spi spi;
    struct sd_card card;
    bool present; /* the card can be used */
    bool used;    /* somebody knows what is on the card `cid` */
    uint8_t cid[SD_CID_BYTES];
    uint64_t look_at;  /* in ticks; while there is no card */
    const char *state; /* as it was said last */
    unsigned order;    /* of the largest block that a request may give */
    unsigned machine;
    const char *name;
} slot;

/* Says what has become of the card, once. */
static void say(const char *state) {
    if (slot.state != state)
        os2_log(slot.machine, "%s: %s\n", slot.name, state);
    slot.state = state;
}

/* ---- The card comes and goes. ---- */

static void look(void) {
    static const char none[] = "no card; it is looked for each second",
                      other[] = "this is another card than before: it is not used until the driver is started again";
    int status = sd_card_begin(&slot.card);

    slot.look_at = os2_deadline_ms(LOOK_MS);
    if (status < 0) {
        say(slot.card.why ? slot.card.why : none);
        return;
    }
    if (slot.used && memcmp(slot.cid, slot.card.cid, SD_CID_BYTES) != 0) {
        say(other);
        return;
    }
    slot.present = true;
    slot.state = NULL;
    memcpy(slot.cid, slot.card.cid, SD_CID_BYTES);
    os2_log(slot.machine, "%s: an SD card of %lu MiB\n", slot.name, slot.card.sectors >> 11);
}

/* A request has failed: is the card still there? If not it is looked for at once, as it may only have lost its way. */
static void look_after(int status) {
    if (status != OS2_E_TIMEOUT && sd_card_status(&slot.card) >= 0)
        return;
    slot.present = false;
    slot.card.left_off = true;
    slot.look_at = 0;
    say("the card does not answer");
}

/* ---- Requests. ---- */

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

/* A READ or WRITE as it came: is it one that there can be? */
static int request_check(const struct os2_message *m) {
    uint64_t sector = m->w[0], count = m->w[1], at = m->w[2], room;

    if (!(m->control & OS2_I_BLOCK) || count == 0 || count > SECTORS_MOST || at % OS2_DISK_SECTOR)
        return OS2_E_INVALID;
    room = OS2_PAGE_SIZE << os2_message_order(m);
    if (at > room || count * OS2_DISK_SECTOR > room - at)
        return OS2_E_INVALID;
    if (!slot.present)
        return OS2_E_FAILED;
    if (sector > slot.card.sectors || count > slot.card.sectors - sector)
        return OS2_E_INVALID;
    return m->label == OS2_DISK_WRITE && slot.card.read_only ? OS2_E_RIGHTS : OS2_OK;
}

static int transfer(const struct os2_message *m, void *block) {
    uint8_t *bytes = (uint8_t *)block + m->w[2];
    unsigned count = (unsigned)m->w[1];
    int status;

    slot.used = true;
    if (m->label == OS2_DISK_READ)
        status = sd_card_read(&slot.card, m->w[0], count, bytes);
    else
        status = sd_card_write(&slot.card, m->w[0], count, bytes);
    if (status < 0)
        look_after(status);
    return status == OS2_E_TIMEOUT ? OS2_E_FAILED : status;
}

/* Every write has waited until the card had it. */
static int flush(void) {
    int status = slot.present ? sd_card_status(&slot.card) : OS2_E_FAILED;

    if (slot.present && status < 0)
        look_after(status);
    return status < 0 ? OS2_E_FAILED : OS2_OK;
}

static void serve_info(uint64_t caller) {
    struct os2_message m = {.caller = caller, .w = {[2] = SECTORS_MOST}};

    if (slot.present) {
        m.w[0] = slot.card.sectors;
        m.w[1] = slot.card.read_only ? OS2_DISK_READ_ONLY : 0;
    }
    os2_reply(0, &m);
}

/* False: nobody who is served. */
static bool trusted(const struct os2_message *m, void *block) {
    if (m->caller && m->badge == 0)
        return true;
    if (block)
        os2_block_free(block);
    if (m->caller)
        os2_reply_fail(m->caller, OS2_E_RIGHTS);
    return false;
}

static void serve(const struct os2_message *m) {
    void *block = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL;
    int status = OS2_E_INVALID;

    if (!trusted(m, block))
        return;
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
            status = transfer(m, block);
        break;
    case OS2_DISK_FLUSH:
        if (!block)
            status = flush();
        break;
    default:
        break;
    }
    answer(m->caller, block, status);
}

/* ---- The process. ---- */

static _Noreturn void give_up(const char *why) {
    os2_log(slot.machine, "%s: %s\n", slot.name, why);
    os2_exit(1);
}

/* The largest block that a request may give: one of them is within the quota. */
static unsigned largest_order(void) {
    uint64_t left = os2_quota_left();
    unsigned order = OS2_DISK_ORDER;

    left = left > OWN_PAGES ? left - OWN_PAGES : 0;
    while (order > 0 && UINT64_C(1) << order > left)
        order--;
    return order;
}

static void open_slot(int argc, char **argv) {
    uint64_t number[4];

    if (argc != ARGUMENTS)
        give_up("these are not the arguments of a slot for cards");
    for (unsigned i = 0; i < 4; i++)
        if (!os2_string_number(argv[3 + i], &number[i]) || (i && number[i] > UINT32_MAX))
            give_up("one of the arguments is not a number");
    spi_open(&slot.spi, number[0], (uint32_t)number[1], (unsigned)number[2]);
    slot.card = (struct sd_card){.spi = &slot.spi, .most_hz = (uint32_t)number[3], .left_off = true};
}

static void serve_once(bool *registered) {
    struct os2_message m = {.w = {[4] = OS2_FOREVER}};
    int status;

    if (!*registered)
        *registered = os2_names_serve(slot.name, BIT_NAMES) >= 0;
    if (!*registered)
        m.w[4] = os2_deadline_ms(NAMES_RETRY_MS);
    if (!slot.present && os2_clock(NULL) >= slot.look_at)
        look();
    if (!slot.present && slot.look_at < m.w[4])
        m.w[4] = slot.look_at;
    status = os2_receive(OS2_F_DEADLINE | OS2_ACCEPT(slot.order), &m);
    if (status >= 0 && m.control & OS2_I_BITS && m.bits & BIT_NAMES)
        *registered = false;
    if (status >= 0 && m.control & OS2_I_MESSAGE)
        serve(&m);
}

int main(int argc, char **argv) {
    bool registered = false;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    slot.machine = os2_start_handle("machine");
    slot.name = argc > 1 ? argv[1] : "disk";
    slot.order = largest_order();
    open_slot(argc, argv);
    for (;;)
        serve_once(&registered);
}
