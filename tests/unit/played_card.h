/* SPDX-License-Identifier: MIT */
/*
 * A card in a slot of a SiFive SPI controller, as test_sd.c plays them. The controller's registers are at PLAYED_BASE.
 * The card checks what it is told: clocks before the first command, sums, the order of commands, the speed of the bus,
 * and that it is selected. It can be slow, be wrong, be of either kind, and be taken out at any byte.
 */
#ifndef PLAYED_CARD_H
#define PLAYED_CARD_H

#include <stdbool.h>
#include <stdint.h>

#define PLAYED_BASE 0x10050000u
#define PLAYED_SECTORS 2048u
#define PLAYED_FOREVER UINT32_MAX

enum mode { MODE_COMMANDS, MODE_READS, MODE_WRITES };

struct played_card {
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
    uint8_t disk[PLAYED_SECTORS * 512];
};
extern struct played_card card;

struct played_bus {
    uint32_t reg[32];
    uint8_t queue[8];
    unsigned queued;
    bool stopped;
};
extern struct played_bus bus;
enum { REG_DIVIDER = 0, REG_MODE = 0x18, REG_OUT = 0x48, REG_IN = 0x4c };

/* A new card, put in: of before version 2, or SDHC; else SDSC of version 2. */
void played_card_new(bool old, bool high);

#endif
