/* SPDX-License-Identifier: MIT */
/*
 * What the shell knows of programs, from the manifests in the boot archive (shell/manifest.h). They are read when that
 * is needed first: files do not change. A line that is wrong is ignored, and so is what there is no room for; that is
 * said once. A program that no manifest names can be run, without any right.
 */
#ifndef SHELL_PROGRAMS_H
#define SHELL_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "shell/manifest.h"

#define PROGRAMS_OWN "/disk/bin" /* a person's own programs */

/* The program at `place`, in the order of the manifests; null behind the last one. */
const struct manifest_program *programs_at(unsigned place);

/* The program of that name, or null. */
const struct manifest_program *programs_find(const char *name);

/*
 * Loads the program that a command names, into a block that the caller frees: a path, if there is a '/' in it, else a
 * file of /boot, or else of /disk/bin. Only those of /boot have the rights that a manifest tells.
 */
int programs_load(const char *name, void **ret_image, uint64_t *ret_size, unsigned *ret_rights);

/* Does the command name a script: a path to a file that begins with #!, or whose name ends with .sh? */
bool programs_is_script(const char *name);

#endif
