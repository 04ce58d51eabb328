/* SPDX-License-Identifier: MIT */
/*
 * The protocol of an SD card on SPI (sd_card.h).
 *
 * A command is six bytes: its number, an argument, and a sum of seven bits. The card answers within eight bytes with
 * R1, whose top bit is clear; before that, and while nothing is on the line, all that comes is 0xff. After R1 some
 * commands have four bytes more, some data. A block of data is a token, the bytes, and a sum of 16 bits. To each block
 * that is written the card answers with a byte, and holds the line at 0 while it is busy.
 *
 * A sequence is all from selecting the card to leaving it: one command, and what belongs to it.
 *
 * A card that is busy is looked at again and again for SPIN_US, as most need no longer than that, and then once a
 * millisecond, so that no core is kept.
 */
#include "drivers/sd_card.h"

#include "os2/call.h"
#include "os2/string.h"
#include "os2/time.h"

enum {
    CMD_RESET = 0,
    CMD_VOLTAGE = 8,
    CMD_CSD = 9,
    CMD_CID = 10,
    CMD_STOP = 12,
    CMD_STATUS = 13,
    CMD_BLOCK_SIZE = 16,
    CMD_READ = 17,
    CMD_READ_MANY = 18,
    CMD_WRITE = 24,
    CMD_WRITE_MANY = 25,
    ACMD_BEGIN = 41,
    CMD_APPLICATION = 55,
    CMD_OCR = 58,
    CMD_SUMS = 59
};
#define R1_IDLE 1u
#define R1_ILLEGAL 4u
#define NO_ANSWER (-1)
#define ANSWER_BYTES 10u /* within eight; two for cards that are late */
enum { TOKEN_BLOCK = 0xfe, TOKEN_WRITE_MANY = 0xfc, TOKEN_STOP = 0xfd };
enum { TAKEN = 0x05, TAKEN_MASK = 0x1f };
#define VOLTAGE_ECHO 0x1aau            /* 2.7 to 3.6 V, and a pattern that comes back */
#define BEGIN_HIGH (UINT32_C(1) << 30) /* SDHC can be dealt with */
#define OCR_HIGH 0x40u                 /* of its first byte: the card is SDHC or SDXC */
#define SECTOR 512u
#define SLOW_HZ 400000u
#define TRIES 3u
#define SPIN_US 200u
#define READ_MS 200u  /* 100 by the specification */
#define BUSY_MS 1000u /* 500 by the specification */
#define BEGIN_MS 2000u
#define BEGIN_PAUSE_MS 10u

/* ---- Sums. ---- */

static uint8_t sum7(const uint8_t *bytes, size_t count) {
    uint8_t sum = 0; /* in the upper seven bits */

    for (size_t i = 0; i < count; i++) {
        sum ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = (uint8_t)(sum << 1 ^ (sum & 0x80 ? 0x09 << 1 : 0));
    }
    return sum | 1; /* the bit that ends a command */
}

/* By the byte, without a table: x^16 + x^12 + x^5 + 1. */
static uint16_t sum16(const uint8_t *bytes, size_t count) {
    uint16_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        uint16_t x = (uint16_t)(sum >> 8 ^ bytes[i]);
        x ^= x >> 4;
        sum = (uint16_t)(sum << 8 ^ x << 12 ^ x << 5 ^ x);
    }
    return sum;
}

/* ---- Bytes, and waiting for them. ---- */

static bool get(struct sd_card *card, uint8_t *ret_bytes, size_t count) {
    return spi_move(card->spi, NULL, ret_bytes, count);
}

static bool put(struct sd_card *card, const uint8_t *bytes, size_t count) {
    return spi_move(card->spi, bytes, NULL, count);
}

/* Reads until there is a byte that is 0xff, or one that is not. */
static bool wait(struct sd_card *card, bool until_idle, unsigned ms, uint8_t *ret_byte) {
    uint64_t rate, spin = os2_clock(&rate), limit = os2_deadline_ms(ms);

    spin += rate * SPIN_US / 1000000;
    for (;;) {
        uint64_t now = os2_clock(NULL);
        if (!get(card, ret_byte, 1))
            return false;
        if ((*ret_byte == 0xff) == until_idle)
            return true;
        if (now >= limit)
            return false;
        if (now >= spin)
            os2_sleep_ms(1);
    }
}

static bool wait_ready(struct sd_card *card) {
    uint8_t byte;
    return wait(card, true, BUSY_MS, &byte);
}

/* ---- Commands. ---- */

/* Sends a command, within a sequence. Returns R1, or NO_ANSWER. */
static int send(struct sd_card *card, unsigned command, uint32_t argument) {
    uint8_t frame[6] = {(uint8_t)(0x40 | command), (uint8_t)(argument >> 24), (uint8_t)(argument >> 16),
                        (uint8_t)(argument >> 8), (uint8_t)argument};
    uint8_t byte;

    frame[5] = sum7(frame, 5);
    if (!put(card, frame, sizeof(frame)))
        return NO_ANSWER;
    if (command == CMD_STOP && !get(card, &byte, 1)) /* the first byte after it is of the data still */
        return NO_ANSWER;
    for (unsigned i = 0; i < ANSWER_BYTES && get(card, &byte, 1); i++)
        if (!(byte & 0x80))
            return byte;
    return NO_ANSWER;
}

/* Begins a sequence with a command, when the card is not busy any more. */
static int begin(struct sd_card *card, unsigned command, uint32_t argument) {
    spi_select(card->spi, true);
    return wait_ready(card) ? send(card, command, argument) : NO_ANSWER;
}

/* The card lets go of the line with the eight clocks behind its answer. */
static void end(struct sd_card *card) {
    uint8_t byte;

    get(card, &byte, 1);
    spi_select(card->spi, false);
}

/* A whole sequence of a command and its answer: R1, and `count` bytes behind it. */
static int ask(struct sd_card *card, unsigned command, uint32_t argument, uint8_t *ret_bytes, size_t count) {
    int r1 = begin(card, command, argument);

    if (r1 != NO_ANSWER && count && !get(card, ret_bytes, count))
        r1 = NO_ANSWER;
    end(card);
    return r1;
}

static int status_of(int r1) {
    return r1 == NO_ANSWER ? OS2_E_TIMEOUT : r1 == 0 ? OS2_OK : OS2_E_FAILED;
}

int sd_card_status(struct sd_card *card) {
    uint8_t second = 0xff;
    int status = status_of(ask(card, CMD_STATUS, 0, &second, 1));

    return status < 0 || second == 0 ? status : OS2_E_FAILED;
}

/* ---- Data. ---- */

static int get_block(struct sd_card *card, uint8_t *bytes, size_t count) {
    uint8_t token, sum[2];

    if (!wait(card, false, READ_MS, &token))
        return OS2_E_TIMEOUT;
    if (token != TOKEN_BLOCK)
        return OS2_E_FAILED;
    if (!get(card, bytes, count) || !get(card, sum, sizeof(sum)))
        return OS2_E_TIMEOUT;
    return sum16(bytes, count) == (sum[0] << 8 | sum[1]) ? OS2_OK : OS2_E_FAILED;
}

/* The card has it when the line is not at 0 any more. */
static int put_block(struct sd_card *card, uint8_t token, const uint8_t *bytes) {
    uint16_t sum = sum16(bytes, SECTOR);
    uint8_t head[2] = {0xff, token}, tail[2] = {(uint8_t)(sum >> 8), (uint8_t)sum}, answer;

    if (!put(card, head, sizeof(head)) || !put(card, bytes, SECTOR) || !put(card, tail, sizeof(tail)) ||
        !get(card, &answer, 1))
        return OS2_E_TIMEOUT;
    if ((answer & TAKEN_MASK) != TAKEN)
        return answer == 0xff ? OS2_E_TIMEOUT : OS2_E_FAILED;
    return wait_ready(card) ? OS2_OK : OS2_E_TIMEOUT;
}

static uint32_t address(const struct sd_card *card, uint64_t sector) {
    return (uint32_t)(card->by_sector ? sector : sector * SECTOR);
}

/* A card that has read up to its last sector may call what comes then an error, which it is not: all that is wanted of
 * the answer to STOP is that there is one. */
static int read_once(struct sd_card *card, uint64_t sector, unsigned count, uint8_t *bytes) {
    int status = status_of(begin(card, count > 1 ? CMD_READ_MANY : CMD_READ, address(card, sector)));
    bool reads = status >= 0;

    for (unsigned i = 0; i < count && status >= 0; i++)
        status = get_block(card, bytes + (size_t)i * SECTOR, SECTOR);
    if (reads && count > 1 && (send(card, CMD_STOP, 0) == NO_ANSWER || !wait_ready(card)))
        status = OS2_E_TIMEOUT;
    end(card);
    return status;
}

static int write_once(struct sd_card *card, uint64_t sector, unsigned count, const uint8_t *bytes) {
    static const uint8_t stop[2] = {TOKEN_STOP, 0xff}; /* the card is busy from the second byte on */
    int status = status_of(begin(card, count > 1 ? CMD_WRITE_MANY : CMD_WRITE, address(card, sector)));
    bool writes = status >= 0;

    for (unsigned i = 0; i < count && status >= 0; i++)
        status = put_block(card, count > 1 ? TOKEN_WRITE_MANY : TOKEN_BLOCK, bytes + (size_t)i * SECTOR);
    if (writes && count > 1 && (!wait_ready(card) || !put(card, stop, sizeof(stop)) || !wait_ready(card)))
        status = OS2_E_TIMEOUT;
    end(card);
    return status < 0 ? status : sd_card_status(card);
}

int sd_card_read(struct sd_card *card, uint64_t sector, unsigned count, uint8_t *bytes) {
    int status = OS2_E_FAILED;

    for (unsigned i = 0; i < TRIES && status == OS2_E_FAILED; i++)
        status = read_once(card, sector, count, bytes);
    return status;
}

int sd_card_write(struct sd_card *card, uint64_t sector, unsigned count, const uint8_t *bytes) {
    int status = OS2_E_FAILED;

    for (unsigned i = 0; i < TRIES && status == OS2_E_FAILED; i++)
        status = write_once(card, sector, count, bytes);
    return status;
}

/* ---- The beginning. ---- */

/* Ends a transfer that somebody began: the rest of a block in either direction, then the transfer of many, be it
 * writing or reading. The card refuses a block that is made up so, by its sum. */
static void take_over(struct sd_card *card) {
    static const uint8_t stop[2] = {TOKEN_STOP, 0xff};
    uint8_t byte;

    spi_select(card->spi, true);
    for (unsigned i = 0; i < SECTOR + 8; i++)
        get(card, &byte, 1);
    put(card, stop, sizeof(stop));
    wait_ready(card);
    send(card, CMD_STOP, 0);
    end(card);
    card->left_off = false;
}

static bool reset(struct sd_card *card) {
    int r1 = NO_ANSWER;

    if (!spi_clocks(card->spi, 10)) /* 74 clocks, by the specification */
        return false;
    for (unsigned i = 0; i < TRIES && r1 != R1_IDLE; i++) {
        spi_select(card->spi, true);
        r1 = send(card, CMD_RESET, 0);
        end(card);
        if (r1 != R1_IDLE && card->left_off)
            take_over(card);
    }
    return r1 == R1_IDLE;
}

/* Lets the card begin, which may take it a second. `high`: it knows of SDHC. */
static bool wake(struct sd_card *card, bool high) {
    uint64_t limit = os2_deadline_ms(BEGIN_MS);

    for (;;) {
        uint64_t now = os2_clock(NULL);
        int r1 = ask(card, CMD_APPLICATION, 0, NULL, 0);
        if (r1 >= 0)
            r1 = ask(card, ACMD_BEGIN, high ? BEGIN_HIGH : 0, NULL, 0);
        if (r1 == 0)
            return true;
        if (r1 & R1_ILLEGAL || r1 == NO_ANSWER || now >= limit)
            return false;
        os2_sleep_ms(BEGIN_PAUSE_MS);
    }
}

/* One of the card's two registers that come as data. */
static bool get_register(struct sd_card *card, unsigned command, uint8_t *ret_bytes) {
    int status = OS2_E_FAILED;

    for (unsigned i = 0; i < TRIES && status == OS2_E_FAILED; i++) {
        status = status_of(begin(card, command, 0));
        if (status >= 0)
            status = get_block(card, ret_bytes, 16);
        end(card);
    }
    return status >= 0;
}

/* How many sectors, by the register CSD of either kind; 0: it makes no sense. */
static uint64_t csd_sectors(const uint8_t *csd) {
    unsigned exponent = csd[5] & 15, times = (csd[9] & 3u) << 1 | csd[10] >> 7;

    if (csd[0] >> 6 == 1)
        return ((uint64_t)(csd[7] & 0x3f) << 16 | (uint64_t)csd[8] << 8 | csd[9]) * 1024 + 1024;
    if (csd[0] >> 6 != 0 || exponent < 9 || exponent > 11)
        return 0;
    return (((csd[6] & 3ull) << 10 | (uint64_t)csd[7] << 2 | csd[8] >> 6) + 1) << (times + 2 + exponent - 9);
}

static const char *set_up(struct sd_card *card) {
    uint8_t answer[4], csd[16];
    int r1 = ask(card, CMD_VOLTAGE, VOLTAGE_ECHO, answer, sizeof(answer));
    bool high = r1 >= 0 && !(r1 & R1_ILLEGAL); /* or it is of before version 2 */

    if (high && ((answer[2] & 15) != VOLTAGE_ECHO >> 8 || answer[3] != (VOLTAGE_ECHO & 0xff)))
        return "it does not run at 3.3 V";
    r1 = ask(card, CMD_SUMS, 1, NULL, 0); /* one that does not know this checks nothing, and so be it */
    if (r1 == NO_ANSWER || !wake(card, high))
        return "it does not begin";
    if (ask(card, CMD_OCR, 0, answer, sizeof(answer)) == NO_ANSWER)
        return "it does not say of which kind it is";
    card->by_sector = high && answer[0] & OCR_HIGH;
    if (!card->by_sector && ask(card, CMD_BLOCK_SIZE, SECTOR, NULL, 0) != 0)
        return "it has no blocks of 512 bytes";
    if (!get_register(card, CMD_CSD, csd) || !get_register(card, CMD_CID, card->cid))
        return "its registers cannot be read";
    card->sectors = csd_sectors(csd);
    card->read_only = csd[14] & 0x30; /* for good, or until it is taken back */
    return card->sectors ? NULL : "its size makes no sense";
}

int sd_card_begin(struct sd_card *card) {
    card->why = NULL;
    card->sectors = 0;
    spi_speed(card->spi, SLOW_HZ);
    if (!reset(card)) {
        card->left_off = false;
        return OS2_E_TIMEOUT;
    }
    card->left_off = false;
    card->why = set_up(card);
    spi_speed(card->spi, card->most_hz);
    return card->why ? OS2_E_FAILED : OS2_OK;
}
