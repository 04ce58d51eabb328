/* SPDX-License-Identifier: MIT */
/*
 * The driver of SD cards on SPI, on a controller and a card that the test plays, byte by byte. The card checks what it
 * is told: clocks before the first command, sums, the order of commands, the speed of the bus, and that it is selected.
 * It can be slow, be wrong, be of either kind, and be taken out at any byte.
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

int sd_main(int argc, char **argv);
#define main sd_main
#include "drivers/sd_spi.c" /* its state and its parts */
#undef main

#define BASE 0x10050000u
#define SECTORS 2048u
#define CLOCK_HZ 500000000u
#define FOREVER UINT32_MAX

/* ---- The card. ---- */

enum mode { MODE_COMMANDS, MODE_READS, MODE_WRITES };

static struct {
    /* What it is like: */
    bool out, old, high, mmc, low_voltage;
    unsigned rounds;       /* of ACMD41, until it has begun */
    unsigned latency;      /* bytes before each answer and block */
    unsigned busy;         /* bytes, after each block that it has taken */
    unsigned bad_sums;     /* so many blocks that are read next come with a wrong sum */
    unsigned bad_writes;   /* so many blocks that are written next are refused */
    uint8_t refusal;       /* with this */
    uint8_t error_token;   /* in the place of the next block */
    unsigned out_in;       /* bytes until it is taken out; 0: it stays */
    uint8_t second_status; /* of CMD13 */
    bool silent;           /* it takes commands to read, and no block comes */
    uint8_t csd[16], cid[16];
    /* Where it is: */
    enum mode mode;
    bool idle, application, sums, many;
    bool foreign; /* in the middle of what another driver began */
    unsigned clocks;
    uint8_t frame[6], block[515], answer[1200];
    unsigned frame_bytes, block_bytes, answer_at, answer_end, busy_left;
    uint64_t sector;
    unsigned blocks_read, blocks_written, stops, resets;
    uint8_t disk[SECTORS * 512];
} card;

/* The sums, bit by bit, as the specification has them. */
static unsigned sum_bits(const uint8_t *bytes, size_t count, unsigned width, unsigned polynomial) {
    unsigned sum = 0;

    for (size_t i = 0; i < count * 8; i++) {
        unsigned bit = bytes[i / 8] >> (7 - i % 8) & 1, top = sum >> (width - 1) & 1;
        sum = sum << 1 & ((1u << width) - 1);
        sum ^= bit != top ? polynomial : 0;
    }
    return sum;
}

static void say_byte(uint8_t byte) {
    assert_true(card.answer_end < sizeof card.answer);
    card.answer[card.answer_end++] = byte;
}

static void say_late(void) {
    for (unsigned i = 0; i < card.latency; i++)
        say_byte(0xff);
}

static void say_r1(uint8_t more) {
    say_late();
    say_byte((card.idle ? 1 : 0) | more);
}

static void say_block(const uint8_t *bytes, size_t count) {
    unsigned sum = sum_bits(bytes, count, 16, 0x1021);

    say_late();
    if (card.silent)
        return;
    if (card.error_token) {
        say_byte(card.error_token);
        card.error_token = 0;
        return;
    }
    sum ^= card.bad_sums ? 0x100 : 0;
    card.bad_sums -= card.bad_sums ? 1 : 0;
    say_byte(0xfe);
    for (size_t i = 0; i < count; i++)
        say_byte(bytes[i]);
    say_byte((uint8_t)(sum >> 8));
    say_byte((uint8_t)sum);
}

static void say_sector(void) {
    card.answer_at = card.answer_end = 0;
    if (card.sector < SECTORS)
        say_block(card.disk + card.sector * 512, 512);
    card.sector++;
    card.blocks_read++;
}

/* A command that moves sectors; its address. */
static bool go_to(uint32_t argument) {
    assert_false(card.idle);
    assert_true(card.high || argument % 512 == 0);
    card.sector = card.high ? argument : argument / 512;
    say_r1(card.sector < SECTORS ? 0 : 0x40);
    return card.sector < SECTORS;
}

static void begin_card(uint32_t argument) {
    assert_true(card.application);
    if (card.mmc) {
        say_r1(4);
        return;
    }
    card.rounds -= card.rounds ? 1 : 0;
    card.idle = card.rounds || (card.high && !(argument & 1u << 30));
    say_r1(0);
}

static void do_reset(void) {
    assert_true(card.resets || card.clocks >= 74);
    card.resets++;
    card.idle = true;
    card.sums = card.foreign = false;
    say_r1(0);
}

static void do_transfer(unsigned command, uint32_t argument) {
    if (!go_to(argument))
        return;
    card.many = command == 18 || command == 25;
    if (command < 20) {
        say_block(card.disk + card.sector * 512, 512);
        card.sector++;
        card.blocks_read++;
        card.mode = card.many ? MODE_READS : MODE_COMMANDS;
    } else {
        card.mode = MODE_WRITES;
    }
}

static void do_command(unsigned command, uint32_t argument) {
    card.answer_at = card.answer_end = 0;
    switch (command) {
    case 0:
        do_reset();
        break;
    case 8:
        say_r1(card.old ? 4 : 0);
        for (unsigned i = 0; i < 4 && !card.old; i++)
            say_byte((uint8_t[]){0, 0, card.low_voltage ? 2 : 1, (uint8_t)argument}[i]);
        break;
    case 9:
    case 10:
        say_r1(0);
        say_block(command == 9 ? card.csd : card.cid, 16);
        break;
    case 12:
        card.stops++;
        card.mode = MODE_COMMANDS;
        say_byte(0x3f); /* of the data still: no answer */
        say_r1(card.sector >= SECTORS ? 0x40 : 0);
        break;
    case 13:
        say_r1(0);
        say_byte(card.second_status);
        break;
    case 16:
        assert_int_equal(argument, 512);
        say_r1(0);
        break;
    case 17:
    case 18:
    case 24:
    case 25:
        do_transfer(command, argument);
        break;
    case 41:
        begin_card(argument);
        break;
    case 55:
        say_r1(0);
        break;
    case 58:
        say_r1(0);
        for (unsigned i = 0; i < 4; i++)
            say_byte((uint8_t[]){card.high ? 0xc0 : 0x80, 0xff, 0x80, 0}[i]);
        break;
    case 59:
        card.sums = argument & 1;
        say_r1(0);
        break;
    default:
        fail_msg("CMD%u", command);
    }
    card.application = command == 55;
}

/* A byte of a command comes in. */
static void take_command(uint8_t byte) {
    if (card.frame_bytes == 0 && (byte & 0xc0) != 0x40)
        return;
    card.frame[card.frame_bytes++] = byte;
    if (card.frame_bytes < sizeof card.frame)
        return;
    card.frame_bytes = 0;
    assert_int_equal(card.frame[5], sum_bits(card.frame, 5, 7, 9) << 1 | 1);
    const uint8_t *f = card.frame;
    if (card.mode == MODE_READS && f[0] != (0x40 | 12)) /* it hears nothing else */
        return;
    do_command(f[0] & 0x3f, (uint32_t)f[1] << 24 | (uint32_t)f[2] << 16 | (uint32_t)f[3] << 8 | f[4]);
}

/* A whole block has come to be written. */
static void take_block(void) {
    unsigned sum = sum_bits(card.block + 1, 512, 16, 0x1021);
    uint8_t answer = (card.block[513] << 8 | card.block[514]) == (int)sum ? 0xe5 : 0xeb;

    assert_true(card.sums);
    if (card.bad_writes) {
        card.bad_writes--;
        answer = card.refusal;
    }
    if (answer == 0xe5) {
        memcpy(card.disk + card.sector * 512, card.block + 1, 512);
        card.sector++;
        card.blocks_written++;
    }
    card.answer_at = card.answer_end = 0;
    say_byte(answer);
    card.busy_left = card.busy;
    card.block_bytes = 0;
    if (!card.many)
        card.mode = MODE_COMMANDS;
}

static void take_written(uint8_t byte) {
    if (card.block_bytes == 0 && (byte == 0xff || (card.foreign && byte < 0xfc)))
        return;
    if (card.block_bytes == 0 && byte == 0xfd) {
        assert_true(card.many);
        say_byte(0xff);
        card.busy_left = card.busy;
        card.mode = MODE_COMMANDS;
        card.stops++;
        return;
    }
    assert_true(card.block_bytes || byte == (card.many ? 0xfc : 0xfe));
    card.block[card.block_bytes++] = byte;
    if (card.block_bytes == sizeof card.block)
        take_block();
}

/* One byte each way. */
static uint8_t card_byte(uint8_t in) {
    uint8_t out = 0xff;

    if (card.out_in && --card.out_in == 0)
        card.out = true;
    if (card.out)
        return 0xff;
    if (card.answer_at == card.answer_end && card.mode == MODE_READS)
        say_sector();
    if (card.answer_at < card.answer_end) {
        out = card.answer[card.answer_at++];
    } else if (card.busy_left) {
        card.busy_left -= card.busy_left == FOREVER ? 0 : 1;
        return 0;
    }
    if (card.mode == MODE_WRITES)
        take_written(in);
    else
        take_command(in);
    return out;
}

/* ---- The controller. ---- */

static struct {
    uint32_t reg[32];
    uint8_t queue[8];
    unsigned queued;
    bool stopped;
} bus;
enum { REG_DIVIDER = 0, REG_MODE = 0x18, REG_OUT = 0x48, REG_IN = 0x4c };

uint32_t arch_device_read(uint64_t at, unsigned width) {
    uint32_t value;

    assert_int_equal(width, 4);
    assert_int_equal(at - BASE, REG_IN);
    if (!bus.queued)
        return 0x80000000u;
    value = bus.queue[0];
    memmove(bus.queue, bus.queue + 1, --bus.queued);
    return value;
}

void arch_device_write(uint64_t at, unsigned width, uint32_t value) {
    uint64_t offset = at - BASE, hz;

    assert_true(width == 4 && offset < sizeof bus.reg);
    bus.reg[offset / 4] = value;
    if (offset == REG_MODE && value == 0 && !card.out && !card.foreign) /* it is left when it has said all */
        assert_int_equal(card.answer_at, card.answer_end);
    if (offset != REG_OUT || bus.stopped)
        return;
    hz = CLOCK_HZ / (2 * ((uint64_t)bus.reg[REG_DIVIDER] + 1));
    assert_true(hz <= 20000000 && (!card.idle || (hz <= 400000 && hz >= 100000)));
    assert_true(bus.queued < sizeof bus.queue);
    if (bus.reg[REG_MODE / 4] == 2) {
        bus.queue[bus.queued++] = card_byte((uint8_t)value);
        return;
    }
    assert_int_equal(bus.reg[REG_MODE / 4], 3); /* clock with nobody selected */
    card.clocks += 8;
    bus.queue[bus.queued++] = 0xff;
}

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

static void new_card(bool old, bool high) {
    static const uint8_t csd_old[16] = {[5] = 9, [6] = 0, [7] = 0x3f, [8] = 0xc0, [9] = 0, [10] = 0x80},
                         csd_high[16] = {0x40, [9] = 1};

    memset(&card, 0, sizeof card);
    card.old = old;
    card.high = high;
    card.rounds = 3;
    card.latency = 7;
    card.busy = 5;
    card.refusal = 0xeb;
    memcpy(card.csd, high ? csd_high : csd_old, 16);
    card.cid[3] = 7;
    for (unsigned i = 0; i < sizeof card.disk; i++)
        card.disk[i] = (uint8_t)(i / 512 * 7 + i);
}

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
    new_card(old, high);
    open_driver();
    look();
    assert_true(slot.present && said == 1 && slot.card.sectors == SECTORS);
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
        assert_int_equal(ask_block(OS2_DISK_READ, SECTORS - 30, 30, 0, block), OS2_OK);
        assert_memory_equal(block, card.disk + (SECTORS - 30) * 512, 30 * 512);
        assert_int_equal(card.stops, 1);
        for (unsigned i = 0; i < OS2_PAGE_SIZE << 2; i++)
            block[i] = (uint8_t)(i * 5 + i / 512);
        assert_int_equal(ask_block(OS2_DISK_WRITE, 9, 1, 1024, block), OS2_OK);
        assert_memory_equal(block + 1024, card.disk + 9 * 512, 512);
        assert_int_equal(ask_block(OS2_DISK_WRITE, SECTORS - 31, 31, 512, block), OS2_OK);
        assert_memory_equal(block + 512, card.disk + (SECTORS - 31) * 512, 31 * 512);
        assert_true(card.stops == 2 && card.blocks_written == 32);
        assert_true(card.disk[8 * 512 + 5] == (uint8_t)(8 * 7 + 8 * 512 + 5));
        assert_int_equal(ask_plain(OS2_DISK_FLUSH, NULL), OS2_OK);
        free(block);
    }
}

static void test_sizes(void **state) {
    (void)state;
    new_card(true, false);
    open_driver();
    card.csd[5] = 11; /* blocks of 2048, and half a GiB of them: C_SIZE 4095, times 64 */
    card.csd[6] = 3, card.csd[7] = 0xff, card.csd[8] = 0xc0, card.csd[9] = 2, card.csd[10] = 0;
    card.csd[14] = 0x10;
    look();
    assert_true(slot.card.sectors == (UINT64_C(4096) << 6) * 4 && slot.card.read_only);
    uint8_t *block = new_block(0);
    assert_int_equal(ask_block(OS2_DISK_WRITE, 0, 1, 0, block), OS2_E_RIGHTS);
    free(block);
    new_card(false, true);
    open_driver();
    card.csd[7] = 0x3f, card.csd[8] = card.csd[9] = 0xff;
    look();
    assert_true(slot.card.sectors == UINT64_C(4194304) * 1024); /* 2 TiB */
    new_card(true, false);
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
    card.busy = FOREVER;
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
        new_card(false, true);
        card.cid[15] = 1;
        look();
        look();
        assert_true(!slot.present && said == 4 && strstr(last_said, "another card"));
        assert_int_equal(ask_block(OS2_DISK_WRITE, 5, 1, 0, block), OS2_E_FAILED);
        assert_true(ask_plain(OS2_DISK_INFO, &sectors) == OS2_OK && sectors == 0 && card.blocks_written == 0);
        new_card(false, true);
        look();
        assert_true(slot.present && said == 5);
        assert_int_equal(ask_block(OS2_DISK_READ, 5, 8, 0, block), OS2_OK);
        free(block);
    }
}

static void test_none(void **state) {
    uint64_t began;
    (void)state;
    new_card(false, true);
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
    new_card(false, false);
    card.mmc = true;
    open_driver();
    look();
    assert_true(!slot.present && strstr(last_said, "does not begin"));
    new_card(false, false);
    card.low_voltage = true;
    open_driver();
    look();
    assert_true(!slot.present && strstr(last_said, "3.3 V"));
    new_card(false, true);
    card.rounds = FOREVER;
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
    } bad[] = {{SECTORS, 1, 0}, {SECTORS - 1, 2, 0}, {UINT64_MAX, 2, 0}, {0, 0, 0},   {0, 33, 0},
               {0, 1, 1},       {0, 32, 512},        {0, 1, 16384},      {0, 129, 0}, {0, 1, UINT64_MAX - 511}};
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
    assert_true(ask_plain(OS2_DISK_INFO, &sectors) == OS2_OK && sectors == SECTORS && !slot.used);
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
