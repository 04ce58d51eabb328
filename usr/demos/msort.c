/* SPDX-License-Identifier: MIT */
/*
 * msort: merge sort of 2^k blocks of numbers, block by block over processes.
 *
 * A block goes to a worker to be sorted and comes back; then two sorted blocks go to one worker, the second when it
 * asks for it, and come back as one of twice the size. The numbers are never copied between processes: blocks move.
 */
#include "os2/call.h"
#include "os2/pool.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"

#define ORDER 2u /* of the blocks that are sorted: 16 KiB */
#define LEVELS_MAX 7u
#define PARTS_MAX (1u << LEVELS_MAX)
#define NUMBERS(order) ((OS2_PAGE_SIZE << (order)) / sizeof(uint64_t))

enum { SORT, MERGE };

struct part {
    uint64_t *numbers; /* null: a worker has it, or there is none */
    bool sorted;
};

/* Parts of one size at each level; level 0 is what is sorted. */
struct sort {
    unsigned levels;
    struct part part[LEVELS_MAX + 1][PARTS_MAX];
    struct {
        unsigned level, second;
    } doing[OS2_POOL_WORKERS_MAX];
    uint64_t sum, exclusive; /* of all numbers, before */
};

static void merge(const uint64_t *a, const uint64_t *b, uint64_t na, uint64_t nb, uint64_t *to) {
    while (na && nb) {
        if (*a <= *b) {
            *to++ = *a++;
            na--;
        } else {
            *to++ = *b++;
            nb--;
        }
    }
    memcpy(to, na ? a : b, (na + nb) * sizeof(*to));
}

static void sort(uint64_t *numbers, uint64_t n, uint64_t *spare) {
    if (n < 2)
        return;
    sort(numbers, n / 2, spare);
    sort(numbers + n / 2, n - n / 2, spare);
    memcpy(spare, numbers, n * sizeof(*numbers));
    merge(spare, spare + n / 2, n / 2, n - n / 2, numbers);
}

static bool work(struct os2_task *task) {
    struct os2_task other;
    void *both;

    if (task->w[0] == SORT) {
        void *spare;
        if (os2_block_alloc(task->order, &spare) < 0)
            return false;
        sort(task->block, NUMBERS(task->order), spare);
        return os2_block_free(spare) >= 0;
    }
    if (!os2_pool_more(&other) || other.order != task->order || os2_block_alloc(task->order + 1, &both) < 0)
        return false;
    merge(task->block, other.block, NUMBERS(task->order), NUMBERS(task->order), both);
    os2_block_free(task->block);
    os2_block_free(other.block);
    task->block = both;
    task->order++;
    return true;
}

static bool hand_out(struct sort *s, unsigned level, unsigned part, struct os2_task *ret_task) {
    ret_task->block = s->part[level][part].numbers;
    ret_task->w[1] = level;
    ret_task->w[2] = part;
    s->part[level][part].numbers = NULL;
    return true;
}

static enum os2_pool_state next(void *context, unsigned worker, bool more, struct os2_task *ret_task) {
    struct sort *s = context;

    if (more) {
        hand_out(s, s->doing[worker].level, s->doing[worker].second, ret_task);
        return OS2_POOL_TASK;
    }
    if (s->part[s->levels][0].sorted)
        return OS2_POOL_END;
    for (unsigned level = 0; level <= s->levels; level++) {
        for (unsigned i = 0; i < 1u << (s->levels - level); i++) {
            struct part *part = &s->part[level][i];
            if (!part->numbers)
                continue;
            if (!part->sorted) {
                ret_task->w[0] = SORT;
            } else if (!(i & 1) && part[1].numbers && part[1].sorted && level < s->levels) {
                ret_task->w[0] = MERGE;
                s->doing[worker].level = level;
                s->doing[worker].second = i + 1;
            } else {
                continue;
            }
            hand_out(s, level, i, ret_task);
            return OS2_POOL_TASK;
        }
    }
    return OS2_POOL_LATER;
}

static bool done(void *context, unsigned worker, struct os2_task *result) {
    struct sort *s = context;
    unsigned level = (unsigned)result->w[1], part = (unsigned)result->w[2];

    (void)worker;
    if (result->w[0] == MERGE) {
        level++;
        part /= 2;
    }
    if (!result->block || level > s->levels || result->order != ORDER + level)
        return false;
    s->part[level][part] = (struct part){result->block, true};
    return true;
}

static bool fill(struct sort *s) {
    uint64_t x = 1;

    for (unsigned i = 0; i < 1u << s->levels; i++) {
        void *block;
        if (os2_block_alloc(ORDER, &block) < 0)
            return false;
        s->part[0][i].numbers = block;
        for (uint64_t j = 0; j < NUMBERS(ORDER); j++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
            s->part[0][i].numbers[j] = x >> 8;
            s->sum += x >> 8;
            s->exclusive ^= x >> 8;
        }
    }
    return true;
}

/* Sorted, and the same numbers, as far as a sum and an exclusive or can tell. */
static bool right(const struct sort *s) {
    const uint64_t *numbers = s->part[s->levels][0].numbers;
    uint64_t sum = 0, exclusive = 0, n = NUMBERS(ORDER) << s->levels;

    for (uint64_t i = 0; i < n; i++) {
        if (i && numbers[i] < numbers[i - 1])
            return false;
        sum += numbers[i];
        exclusive ^= numbers[i];
    }
    return sum == s->sum && exclusive == s->exclusive;
}

int main(int argc, char **argv) {
    static struct sort s;
    struct os2_pool pool = {.program = "msort", .context = &s, .next = next, .done = done};
    uint64_t levels = 5;

    if (os2_team_role(argc, argv))
        return os2_pool_work(ORDER + LEVELS_MAX, work);
    if (!os2_pool_arguments(argc, argv, 0, LEVELS_MAX, &levels, &pool.workers))
        return 2;
    s.levels = (unsigned)levels;
    pool.accept = ORDER + LEVELS_MAX;
    pool.pages = (UINT64_C(2) << (ORDER + levels)) + 16;
    if (!fill(&s)) {
        os2_error("no memory for the numbers");
        return 1;
    }
    if (!os2_pool_run(&pool))
        return 1;
    os2_pool_print(&pool);
    os2_printf("%lu numbers %s\n", NUMBERS(ORDER) << levels, right(&s) ? "sorted" : "NOT sorted");
    return !right(&s);
}
