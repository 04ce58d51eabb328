/* SPDX-License-Identifier: MIT */
/*
 * An SD card on SPI (Physical Layer Simplified Specification, chapter 7): SDSC, SDHC and SDXC cards; an MMC is not
 * taken. The state of the card is found out by sd_card_begin(), which is called again after the card was gone.
 *
 * All functions wait for the card, and no wait is without an end. They return a status: OS2_E_TIMEOUT where the card
 * does not answer, as one that was taken out does not, OS2_E_FAILED where it answers with an error, or with bytes whose
 * check sum is wrong TRIES times.
 */
#ifndef DRIVERS_SD_CARD_H
#define DRIVERS_SD_CARD_H

#include "drivers/spi.h"

#define SD_CID_BYTES 16u

struct sd_card {
    struct spi *spi;
    uint32_t most_hz; /* what the slot can */
    bool left_off;    /* whoever had the card before may have left it in the middle of a transfer */
    bool by_sector;   /* addresses are sectors: SDHC and SDXC; else bytes */
    bool read_only;
    uint64_t sectors;
    uint8_t cid[SD_CID_BYTES]; /* which card it is: no two have the same */
    const char *why;           /* of sd_card_begin(), where it fails for another reason than that there is none */
};

/* Finds a card and makes it ready. OS2_E_TIMEOUT with `why` null: there is none. */
int sd_card_begin(struct sd_card *card);

int sd_card_read(struct sd_card *card, uint64_t sector, unsigned count, uint8_t *bytes);

/* What has been written is on the card, and stays there when the power goes. */
int sd_card_write(struct sd_card *card, uint64_t sector, unsigned count, const uint8_t *bytes);

/* Is it there, and without error? */
int sd_card_status(struct sd_card *card);

#endif
