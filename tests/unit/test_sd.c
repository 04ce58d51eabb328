/* SPDX-License-Identifier: MIT */
/*
 * The driver of SD cards on SPI, on a controller and a card that are played (played_card.h), with a system that is:
 * time goes on when the driver looks at it, and when it sleeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch_user.h"
#include "played_card.h"

int sd_main(int argc, char **argv);
#define main sd_main
#include "drivers/sd_spi.c" /* its state and its parts */
#undef main

/* ---- The system, as far as the driver calls it. ---- */

static uint64_t now, freed, sleeps;
static struct os2_message answers[16]; /* the driver's replies, in their order */
static unsigned answer_count, refusals, said;
static char last_said[200];
static jmp_buf ended;

void arch_syscall(uint64_t *slots) {
    struct os2_message *m = (struct os2_message *)slots;
    assert_int_equal(m->control & OS2_NUMBER_MASK, OS2_SYS_reply);
    answers[answer_count++ % 16] = *m;
    m->control = OS2_OK;
}
int os2_reply_fail(uint64_t caller, int reason) {
    assert_true(caller && reason == OS2_E_RIGHTS);
    refusals++;
    return OS2_OK;
}
int os2_block_free(void *block) {
    free(block);
    freed++;
    return OS2_OK;
}
uint64_t os2_clock(uint64_t *ret_rate) {
    if (ret_rate)
        *ret_rate = 1000000;
    return now++;
}
uint64_t os2_deadline_ms(uint64_t ms_from_now) {
    return now + ms_from_now * 1000;
}
int os2_sleep_ms(uint64_t ms) {
    now += ms * 1000;
    sleeps++;
    return OS2_OK;
}
void os2_log(unsigned machine, const char *format, ...) {
    va_list arguments;
    (void)machine;
    va_start(arguments, format);
    vsnprintf(last_said, sizeof last_said, format, arguments);
    va_end(arguments);
    said++;
}
_Noreturn void os2_exit(uint64_t status) {
    longjmp(ended, (int)status);
}
uint64_t os2_quota_left(void) {
    return OWN_PAGES + 5;
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
    char *rest;
    *ret_number = strtoull(text, &rest, 0);
    return rest != text && !*rest;
}

/* ---- Scenes. ---- */

static void open_driver(void) {
    static char name[] = "disk0", how[] = "mmio", base[] = "0x10050000", clock[] = "0", line[] = "0",
                most[] = "20000000";

    memset(&bus, 0, sizeof bus);
    memset(&slot, 0, sizeof slot);
    answer_count = refusals = said = 0;
    freed = sleeps = 0;
    slot.name = name;
    slot.order = largest_order();
    assert_int_equal(slot.order, 2);
    open_slot(ARGUMENTS, (char *[]){name, name, how, base, clock, line, most});
}

static void begin_with(bool old, bool high) {
    played_card_new(old, high);
    open_driver();
    look();
    assert_true(slot.present && said == 1 && slot.card.sectors == PLAYED_SECTORS);
    assert_string_equal(last_said, "disk0: an SD card of 1 MiB\n");
    assert_int_equal(bus.reg[REG_DIVIDER], 12); /* 500 MHz / 26 is 19.2 */
}

static uint8_t *new_block(uint8_t fill) {
    uint8_t *block = aligned_alloc(OS2_PAGE_SIZE, OS2_PAGE_SIZE << 2);
    memset(block, fill, OS2_PAGE_SIZE << 2);
    return block;
}

static unsigned block_order = 2;

/* Asks with a block of four pages, or of as many as that says; returns LABEL, with the block back in any case. */
static int ask_block(unsigned what, uint64_t sector, uint64_t count, uint64_t at, uint8_t *block) {
    unsigned before = answer_count;
    struct os2_message m = {.label = what, .w = {sector, count, at, (uintptr_t)block}, .caller = 77};

    m.control = OS2_I_MESSAGE | OS2_I_BLOCK | (uint64_t)block_order << OS2_I_ORDER_SHIFT;
    serve(&m);
    assert_true(answer_count == before + 1 && bus.reg[REG_MODE / 4] == 0);
    m = answers[before % 16];
    assert_true(m.caller == 77 && m.w[3] == (uintptr_t)block && m.control & OS2_F_BLOCK);
    return (int)(int64_t)m.label;
}

static int ask_plain(unsigned what, uint64_t *ret_sectors) {
    unsigned before = answer_count;
    struct os2_message m = {.label = what, .caller = 78, .control = OS2_I_MESSAGE};

    serve(&m);
    assert_int_equal(answer_count, before + 1);
    if (ret_sectors)
        *ret_sectors = answers[before % 16].w[0];
    return (int)(int64_t)answers[before % 16].label;
}

/* Each kind of card, read and written, one sector and several, at either end. */
static void test_transfers(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        uint8_t *block = new_block(0x55);
        begin_with(kind == 0, kind == 2);
        assert_true(slot.card.by_sector == (kind == 2) && card.sums && !slot.card.read_only);
        assert_int_equal(ask_block(OS2_DISK_READ, 3, 1, 512, block), OS2_OK);
        assert_memory_equal(block + 512, card.disk + 3 * 512, 512);
        assert_true(block[511] == 0x55 && block[1024] == 0x55);
        assert_int_equal(ask_block(OS2_DISK_READ, PLAYED_SECTORS - 30, 30, 0, block), OS2_OK);
        assert_memory_equal(block, card.disk + (PLAYED_SECTORS - 30) * 512, 30 * 512);
        assert_int_equal(card.stops, 1);
        for (unsigned i = 0; i < OS2_PAGE_SIZE << 2; i++)
            block[i] = (uint8_t)(i * 5 + i / 512);
        assert_int_equal(ask_block(OS2_DISK_WRITE, 9, 1, 1024, block), OS2_OK);
        assert_memory_equal(block + 1024, card.disk + 9 * 512, 512);
        assert_int_equal(ask_block(OS2_DISK_WRITE, PLAYED_SECTORS - 31, 31, 512, block), OS2_OK);
        assert_memory_equal(block + 512, card.disk + (PLAYED_SECTORS - 31) * 512, 31 * 512);
        assert_true(card.stops == 2 && card.blocks_written == 32);
        assert_true(card.disk[8 * 512 + 5] == (uint8_t)(8 * 7 + 8 * 512 + 5));
        assert_int_equal(ask_plain(OS2_DISK_FLUSH, NULL), OS2_OK);
        free(block);
    }
}

static void test_sizes(void **state) {
    (void)state;
    played_card_new(true, false);
    open_driver();
    card.csd[5] = 11; /* blocks of 2048, and half a GiB of them: C_SIZE 4095, times 64 */
    card.csd[6] = 3, card.csd[7] = 0xff, card.csd[8] = 0xc0, card.csd[9] = 2, card.csd[10] = 0;
    card.csd[14] = 0x10;
    look();
    assert_true(slot.card.sectors == (UINT64_C(4096) << 6) * 4 && slot.card.read_only);
    uint8_t *block = new_block(0);
    assert_int_equal(ask_block(OS2_DISK_WRITE, 0, 1, 0, block), OS2_E_RIGHTS);
    free(block);
    played_card_new(false, true);
    open_driver();
    card.csd[7] = 0x3f, card.csd[8] = card.csd[9] = 0xff;
    look();
    assert_true(slot.card.sectors == UINT64_C(4194304) * 1024); /* 2 TiB */
    played_card_new(true, false);
    open_driver();
    card.csd[0] = 0x80;
    look();
    assert_true(!slot.present && strstr(last_said, "size makes no sense"));
}

/* Wrong sums and refusals: tried again, but not for ever. */
static void test_errors(void **state) {
    uint8_t *block = new_block(1);
    (void)state;
    begin_with(false, true);
    card.bad_sums = 2;
    assert_int_equal(ask_block(OS2_DISK_READ, 5, 1, 0, block), OS2_OK);
    assert_true(card.blocks_read == 3 && !memcmp(block, card.disk + 5 * 512, 512));
    card.bad_sums = 1;
    assert_int_equal(ask_block(OS2_DISK_READ, 5, 4, 0, block), OS2_OK);
    assert_memory_equal(block, card.disk + 5 * 512, 4 * 512);
    card.bad_sums = 1000;
    assert_int_equal(ask_block(OS2_DISK_READ, 5, 1, 0, block), OS2_E_FAILED);
    card.bad_sums = 0;
    card.error_token = 0x08;
    assert_int_equal(ask_block(OS2_DISK_READ, 6, 3, 0, block), OS2_OK);
    card.bad_writes = 2;
    memset(block, 0x99, 2048);
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 4, 0, block), OS2_OK);
    assert_memory_equal(block, card.disk + 5 * 512, 4 * 512);
    card.bad_writes = 1000;
    card.refusal = 0xed;
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 1, 0, block), OS2_E_FAILED);
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 2, 0, block), OS2_E_FAILED);
    card.bad_writes = 0;
    assert_true(slot.present && said == 1);
    card.second_status = 0x04; /* what was answered for was not written after all */
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 1, 0, block), OS2_E_FAILED);
    free(block);
}

/* A card that is busy: the driver sleeps, and not without an end. */
static void test_busy(void **state) {
    uint8_t *block = new_block(1);
    (void)state;
    begin_with(false, true);
    sleeps = 0;
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 2, 0, block), OS2_OK);
    assert_int_equal(sleeps, 0);
    card.busy = 400; /* 200 are looked at, the rest are a millisecond each */
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 1, 0, block), OS2_OK);
    assert_true(sleeps > 150 && sleeps < 350);
    card.busy = PLAYED_FOREVER;
    uint64_t began = now;
    assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 2, 0, block), OS2_E_FAILED);
    assert_true(!slot.present && now - began < 5000000 && strstr(last_said, "does not answer"));
    card.foreign = true;
    card.busy = card.busy_left = 0; /* in the middle of a write of many, from which it is fetched back */
    look();
    assert_true(slot.present && ask_block(OS2_DISK_READ, 5, 2, 0, block) == OS2_OK);
    card.silent = true;
    assert_int_equal(ask_block(OS2_DISK_READ, 5, 1, 0, block), OS2_E_FAILED);
    assert_false(slot.present);
    free(block);
}

/* It is taken out at any byte of a transfer: the client has an error and its block, the log a line, and nothing hangs.
 * When it is put back all goes on; another card in its place is not touched. */
static void test_out(void **state) {
    (void)state;
    for (unsigned at = 1; at < 3000; at += 1 + at / 16) {
        uint8_t *block = new_block(2);
        uint64_t sectors, began;
        unsigned what = at % 2 ? OS2_DISK_READ : OS2_DISK_WRITE;
        begin_with(false, true);
        card.out_in = at;
        began = now;
        assert_int_equal(ask_block(what, 5, 8, 0, block), OS2_E_FAILED);
        assert_true(now - began < 5000000 && !slot.present && said == 2);
        assert_true(ask_plain(OS2_DISK_INFO, &sectors) == OS2_OK && sectors == 0);
        look();
        assert_true(said == 3 && strstr(last_said, "no card"));
        look();
        assert_true(said == 3 && slot.look_at > now + (LOOK_MS - 100) * 1000);
        assert_int_equal(ask_block(what, 5, 8, 0, block), OS2_E_FAILED);
        assert_int_equal(ask_plain(OS2_DISK_FLUSH, NULL), OS2_E_FAILED);
        played_card_new(false, true);
        card.cid[15] = 1;
        look();
        look();
        assert_true(!slot.present && said == 4 && strstr(last_said, "another card"));
        assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 1, 0, block), OS2_E_FAILED);
        assert_true(ask_plain(OS2_DISK_INFO, &sectors) == OS2_OK && sectors == 0 && card.blocks_written == 0);
        played_card_new(false, true);
        look();
        assert_true(slot.present && said == 5);
        assert_int_equal(ask_block(OS2_DISK_READ, 5, 8, 0, block), OS2_OK);
        free(block);
    }
}

static void test_none(void **state) {
    uint64_t began;
    (void)state;
    played_card_new(false, true);
    open_driver();
    card.out = true;
    look();
    assert_true(said == 1 && strstr(last_said, "no card; it is looked for each second"));
    uint64_t reads = now;
    look(); /* later ones are short: nothing is taken over */
    assert_true(now - reads < 100 && sleeps == 0 && said == 1);
    open_driver();
    bus.stopped = true;
    began = now;
    look();
    assert_true(!slot.present && now - began < 20000000);
    played_card_new(false, false);
    card.mmc = true;
    open_driver();
    look();
    assert_true(!slot.present && strstr(last_said, "does not begin"));
    played_card_new(false, false);
    card.low_voltage = true;
    open_driver();
    look();
    assert_true(!slot.present && strstr(last_said, "3.3 V"));
    played_card_new(false, true);
    card.rounds = PLAYED_FOREVER;
    open_driver();
    look();
    assert_true(!slot.present && sleeps > 100);
}

/* The driver before this one ended in the middle of a transfer. */
static void test_take_over(void **state) {
    uint8_t *block = new_block(3);
    (void)state;
    for (unsigned scene = 0; scene < 3; scene++) {
        begin_with(false, true);
        open_driver();
        card.foreign = true;
        card.resets = 0;
        card.mode = scene == 0 ? MODE_READS : MODE_WRITES;
        card.sector = 40;
        card.many = scene != 1;
        card.block[0] = 0xfe;
        card.block_bytes = scene ? 100 : 0;
        look();
        assert_true(slot.present && card.blocks_written == 0);
        assert_int_equal(ask_block(OS2_DISK_READ, 1, 2, 0, block), OS2_OK);
        assert_memory_equal(block, card.disk + 512, 1024);
    }
    free(block);
}

static void test_refused(void **state) {
    static const struct {
        uint64_t sector, count, at;
    } bad[] = {{PLAYED_SECTORS, 1, 0},
               {PLAYED_SECTORS - 1, 2, 0},
               {UINT64_MAX, 2, 0},
               {0, 0, 0},
               {0, 33, 0},
               {0, 1, 1},
               {0, 32, 512},
               {0, 1, 16384},
               {0, 129, 0},
               {0, 1, UINT64_MAX - 511}};
    uint8_t *block = new_block(4);
    uint64_t sectors;
    (void)state;
    begin_with(false, true);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ask_block(OS2_DISK_WRITE, bad[i].sector, bad[i].count, bad[i].at, block), OS2_E_INVALID);
    block_order = 6;
    assert_int_equal(ask_block(OS2_DISK_WRITE, 0, SECTORS_MOST + 1, 0, block), OS2_E_INVALID);
    block_order = 2;
    assert_int_equal(ask_block(99, 0, 1, 0, block), OS2_E_INVALID);
    assert_true(ask_plain(OS2_DISK_INFO, &sectors) == OS2_OK && sectors == PLAYED_SECTORS && !slot.used);
    struct os2_message m = {.label = OS2_DISK_READ, .w = {0, 1, 0, (uintptr_t)block}, .caller = 51, .badge = 1};
    m.control = OS2_I_MESSAGE | OS2_I_BLOCK;
    serve(&m); /* not trusted: the block is gone */
    assert_true(refusals == 1 && freed == 1 && card.blocks_read == 0 && card.blocks_written == 0);
    if (setjmp(ended) == 0) {
        open_slot(2, (char *[]){NULL, NULL});
        fail_msg("the driver goes on");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfers), cmocka_unit_test(test_sizes),   cmocka_unit_test(test_errors),
        cmocka_unit_test(test_busy),      cmocka_unit_test(test_out),     cmocka_unit_test(test_none),
        cmocka_unit_test(test_take_over), cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("sd", tests, NULL, NULL);
}
