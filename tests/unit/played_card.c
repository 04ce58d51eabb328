/* SPDX-License-Identifier: MIT */
/* A card on SPI, and its controller, byte by byte: see the header. */
#include "played_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "arch_user.h"

#define CLOCK_HZ 500000000u

struct played_card card;
struct played_bus bus;

/* ---- The card. ---- */

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
    if (card.sector < PLAYED_SECTORS)
        say_block(card.disk + card.sector * 512, 512);
    card.sector++;
    card.blocks_read++;
}

/* A command that moves sectors; its address. */
static bool go_to(uint32_t argument) {
    assert_false(card.idle);
    assert_true(card.high || argument % 512 == 0);
    card.sector = card.high ? argument : argument / 512;
    say_r1(card.sector < PLAYED_SECTORS ? 0 : 0x40);
    return card.sector < PLAYED_SECTORS;
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
        say_r1(card.sector >= PLAYED_SECTORS ? 0x40 : 0);
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
        card.busy_left -= card.busy_left == PLAYED_FOREVER ? 0 : 1;
        return 0;
    }
    if (card.mode == MODE_WRITES)
        take_written(in);
    else
        take_command(in);
    return out;
}

/* ---- The controller. ---- */

uint32_t arch_device_read(uint64_t at, unsigned width) {
    uint32_t value;

    assert_int_equal(width, 4);
    assert_int_equal(at - PLAYED_BASE, REG_IN);
    if (!bus.queued)
        return 0x80000000u;
    value = bus.queue[0];
    memmove(bus.queue, bus.queue + 1, --bus.queued);
    return value;
}

void arch_device_write(uint64_t at, unsigned width, uint32_t value) {
    uint64_t offset = at - PLAYED_BASE, hz;

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

void played_card_new(bool old, bool high) {
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
