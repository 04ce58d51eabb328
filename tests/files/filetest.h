/* SPDX-License-Identifier: MIT */
/* What the files of filetest share. */
#ifndef FILETEST_H
#define FILETEST_H

#include <stdbool.h>
#include <stdint.h>

#ifndef FILETEST_NAME
#define FILETEST_NAME "filetest" /* the program's, of which its members are made */
#endif

/* Notes and prints what is not as it should be. */
bool check(bool good, const char *what, int64_t got);
void test_done(const char *what);

/* The byte that a file of this seed has at this place. */
uint8_t pattern(uint64_t seed, uint64_t at);
void pattern_fill(uint8_t *to, uint64_t seed, uint64_t at, uint64_t size);
bool pattern_is(const uint8_t *from, uint64_t seed, uint64_t at, uint64_t size);

/* Makes such a file, in writes of `step` bytes, 100 000 at the most; looks whether one is so. */
int pattern_write(const char *path, uint64_t seed, uint64_t size, uint64_t step);
bool pattern_check(const char *path, uint64_t seed, uint64_t size);

uint64_t random_below(uint64_t most);

/* What a program reaches that has no handle, or the name service only; what the members do. */
void test_alone(void);
int run_alone(void);
int run_program(void);

/* A name service that ends while the file service was told that it is a client. */
void test_names_as_client(void);

/* Files beside services and drivers that end at random; what the member does meanwhile. */
void test_kills(void);
int run_worker(void);

#endif
