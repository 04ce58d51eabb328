/* SPDX-License-Identifier: MIT */
/*
 * The command `test`, of which `[` is another name. Pure but for what it asks of files.
 *
 *     STRING, -n STRING, -z STRING      not empty, not empty, empty
 *     A = B, A != B                     strings
 *     A -eq B, -ne -lt -le -gt -ge      numbers, maybe with a - in front
 *     -e PATH, -f PATH, -d PATH         there is something, a file, a folder
 *     -s PATH                           a file that is not empty
 *     ! ...                             the opposite of what follows
 */
#ifndef SHELL_TEST_H
#define SHELL_TEST_H

#include <stdbool.h>
#include <stdint.h>

enum test_kind { TEST_NOTHING, TEST_FILE, TEST_FOLDER };

/* What is at the path, and its size. */
typedef enum test_kind test_look_function(const char *path, uint64_t *ret_size);

/* The status: 0 true, 1 false, 2 wrong; then *ret_reason says what. argv[0] is the command's name. */
unsigned test_run(unsigned argc, const char *const *argv, test_look_function *look, const char **ret_reason);

#endif
