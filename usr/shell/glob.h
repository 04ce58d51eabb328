/* SPDX-License-Identifier: MIT */
/*
 * Patterns of file names. Pure but for the folders, which the caller lists.
 *
 *     *        any bytes
 *     ?        one character (UTF-8)
 *     [abc]    one of these bytes; [a-z] a range; [!abc] none of these
 *     \x       x as it stands
 *
 * None of the first three matches a '/', nor a '.' at the start of a name.
 */
#ifndef SHELL_GLOB_H
#define SHELL_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#define GLOB_TEXT 8192u /* bytes of all paths that a pattern stands for, with their zeros */
#define GLOB_PATH 1024u /* of one of them */

/* Takes a name of a folder. */
typedef void glob_take_function(void *taker, const char *name);

struct glob_folders {
    void *context;
    /* Hands all names in the folder ("": the working one) to `take`. None if it is no folder. */
    void (*list)(void *context, const char *folder, glob_take_function *take, void *taker);
    /* Is there something? If the path ends with a '/': a folder? */
    bool (*exists)(void *context, const char *path);
};

/* Does the text have one of the first three, not behind a backslash? */
bool glob_is_pattern(const char *text);

bool glob_match(const char *pattern, const char *name);

/* Takes the backslashes out, in place. */
void glob_plain(char *text);

/*
 * The paths that the pattern stands for, one behind the other with a zero behind each, sorted. Returns how many, or -1:
 * there is no room for all of them.
 */
int glob_expand(const char *pattern, const struct glob_folders *folders, char ret_paths[GLOB_TEXT]);

#endif
