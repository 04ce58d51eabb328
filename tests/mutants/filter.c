/* SPDX-License-Identifier: MIT */
/* Linked into a unit test beside a mutant: of its tests only the one that MUTANTS_TEST names is run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static __attribute__((constructor)) void choose(void) {
    const char *name = getenv("MUTANTS_TEST");
    if (name)
        cmocka_set_test_filter(name);
}
