/* SPDX-License-Identifier: MIT */
/* The kernel's state: see core/machine.h. */
#include "core/machine.h"

struct core *cores[CORES_MAX];
struct machine machine;
