/* SPDX-License-Identifier: MIT */
/*
 * schedtest: how long a process waits for its turn beside one that does with system calls whatever it likes. Both have
 * the quantum that programs have by default. On one core, where an instruction is a nanosecond.
 */
#include "sched.h"

#include "os2/spawn.h"
#include "os2/string.h"

#define MOST_MS 20u
#define WINDOW_MS 150u

/* ---- Roles. ---- */

/* Gets blocks of this order and gives them back. */
static void hog_blocks(unsigned order) {
    for (;;) {
        void *block;
        if (os2_block_alloc(order, &block) >= 0)
            os2_block_free(block);
    }
}

/* Gets single pages until there are no more, and gives all back. */
static void hog_pages(void) {
    static void *page[1500];
    for (;;) {
        unsigned n = 0;
        while (n < sizeof(page) / sizeof(page[0]) && os2_block_alloc(0, &page[n]) >= 0)
            n++;
        while (n > 0)
            os2_block_free(page[--n]);
    }
}

/* Makes processes and lets go of them. */
static void hog_processes(void) {
    for (;;) {
        struct os2_process_plan plan = {.quota = 8, .quantum = 1, .watchdog_ms = 1000, .name = "brief"};
        unsigned control;
        uint64_t id;
        if (os2_process_create(&plan, &control, &id) >= 0)
            os2_handle_close(control);
    }
}

/* Moves a block to and fro in its address space, through ever other tables. */
static void hog_places(void) {
    uint64_t at = OS2_PROGRAM_END, address;
    void *block;
    if (os2_block_alloc(9, &block) < 0)
        return;
    for (;; at = at < OS2_PROGRAM_END << 3 ? at + (UINT64_C(1) << 30) : OS2_PROGRAM_END)
        if (os2_block_place(block, at & ~((UINT64_C(2) << 20) - 1), OS2_PROT_READ | OS2_PROT_WRITE, &address) >= 0)
            block = (void *)(uintptr_t)address;
}

/* Takes turns as short as it can for a while; tells its supervisor the longest that it waited between two. */
static int wait_for_turns(void) {
    uint64_t now = os2_clock(&rate), end = now + WINDOW_MS * rate / 1000, longest = 0;
    while (now < end) {
        uint64_t before = now;
        os2_yield();
        now = os2_clock(NULL);
        longest = now - before > longest ? now - before : longest;
    }
    return os2_send(os2_start_handle("supervisor"), 0, &(struct os2_message){.label = longest});
}

bool role_neighbour(const char *role, int *ret_status) {
    *ret_status = 1;
    if (strcmp(role, "neighbour") == 0)
        *ret_status = wait_for_turns();
    else if (strcmp(role, "hog 2 MiB") == 0)
        hog_blocks(9);
    else if (strcmp(role, "hog 16 MiB") == 0)
        hog_blocks(12);
    else if (strcmp(role, "hog pages") == 0)
        hog_pages();
    else if (strcmp(role, "hog processes") == 0)
        hog_processes();
    else if (strcmp(role, "hog places") == 0)
        hog_places();
    else
        return false;
    return true;
}

/* ---- The test. ---- */

static void beside(const char *hog) {
    struct os2_member_plan plan = {.pages = 4200};
    struct os2_message m = {0};
    unsigned neighbour, other;

    if (cores > 1) {
        skip("needs one core");
        return;
    }
    if (!CHECK(os2_team_add(&team, &plan, &other) >= 0) || !CHECK(os2_team_add(&team, &plan, &neighbour) >= 0) ||
        !member_start(other, hog) || !member_start(neighbour, "neighbour"))
        return;
    do
        os2_receive(0, &m);
    while (!(m.control & OS2_I_MESSAGE));
    os2_printf("# the longest wait beside \"%s\" was %lu us\n", hog, microseconds(m.label));
    CHECK_BETWEEN(microseconds(m.label), 1, MOST_MS * 1000);
    CHECK(team.member[other].runs);
}

static void test_large(void) {
    beside("hog 2 MiB");
}
static void test_huge(void) {
    beside("hog 16 MiB");
}
static void test_pages(void) {
    beside("hog pages");
}
static void test_processes(void) {
    beside("hog processes");
}
static void test_places(void) {
    beside("hog places");
}

static const struct test tests[] = {
    {"nobody waits 20 ms beside one that gets and frees 2 MiB", test_large},
    {"nor 16 MiB", test_huge},
    {"nor all the pages that it may have", test_pages},
    {"nor beside one that makes processes", test_processes},
    {"nor beside one that moves a block through its address space", test_places},
};
AREA(area_neighbour, tests);
