/* SPDX-License-Identifier: MIT */
/*
 * What the shell knows of programs, from the manifests in the boot archive (shell/manifest.h). They are read when that
 * is needed first: files do not change. A line that is wrong is ignored, and so is what there is no room for; that is
 * said once. A program that no manifest names can be run, without any right.
 */
#ifndef SHELL_PROGRAMS_H
#define SHELL_PROGRAMS_H

#include "shell/manifest.h"

/* The program at `place`, in the order of the manifests; null behind the last one. */
const struct manifest_program *programs_at(unsigned place);

/* The program of that name, or null. */
const struct manifest_program *programs_find(const char *name);

#endif
