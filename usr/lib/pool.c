/* SPDX-License-Identifier: MIT */
/* Pools of workers: see os2/pool.h. */
#include "os2/pool.h"

#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"
#include "os2/time.h"

/* LABEL of a worker's call: with a result, or for the first task (no result), or for one more block. And of its answer:
 * a task or the end. */
enum { POOL_RESULT = 1, POOL_FIRST, POOL_MORE, POOL_TASK, POOL_END };

static struct os2_team team;
static uint64_t parked[OS2_POOL_WORKERS_MAX]; /* callers that wait for a task; 0: none */

static void answer(struct os2_pool *pool, unsigned worker, uint64_t caller, bool more) {
    struct os2_task task = {0};
    struct os2_message m = {.caller = caller, .label = POOL_TASK};

    switch (pool->next(pool->context, worker, more, &task)) {
    case OS2_POOL_LATER:
        parked[worker] = caller;
        return;
    case OS2_POOL_END:
        m.label = POOL_END;
        break;
    case OS2_POOL_TASK:
        memcpy(m.w, task.w, sizeof(task.w));
        m.w[3] = (uintptr_t)task.block;
        break;
    }
    if (os2_reply(task.block ? OS2_F_BLOCK : 0, &m) >= 0)
        return;
    os2_error("a task cannot be handed over");
    team.good = false;
}

static void take(struct os2_pool *pool, const struct os2_message *m) {
    unsigned worker = (unsigned)m->badge;
    struct os2_task result = {.w = {m->w[0], m->w[1], m->w[2]}};

    if (m->label == POOL_RESULT) {
        if (m->control & OS2_I_BLOCK) {
            result.block = os2_message_block(m);
            result.order = os2_message_order(m);
        }
        pool->tasks[worker]++;
        pool->cores[worker] |= UINT64_C(1) << (m->w[4] & 63);
        if (!pool->done(pool->context, worker, &result)) {
            os2_error("worker %u: a wrong result", worker);
            team.good = false;
        }
    }
    answer(pool, worker, m->caller, m->label == POOL_MORE);
}

static bool start(struct os2_pool *pool) {
    struct os2_member_plan plan = {.pages = pool->pages};
    unsigned number;

    if (os2_team_open(&team, pool->program) < 0)
        return false;
    while (team.count < pool->workers)
        if (os2_team_add(&team, &plan, &number) < 0)
            return false;
    for (unsigned i = 0; i < pool->workers; i++)
        if (os2_team_start(&team, i, "worker") < 0)
            return false;
    return true;
}

bool os2_pool_run(struct os2_pool *pool) {
    uint64_t begun = os2_now_ns();
    bool good = start(pool);

    memset(parked, 0, sizeof(parked));
    while (good && team.running && team.good) {
        struct os2_message m = {0};
        if (os2_receive(OS2_ACCEPT(pool->accept), &m) < 0)
            continue;
        if (m.control & OS2_I_BITS)
            os2_team_ended(&team, m.bits);
        if (!(m.control & OS2_I_MESSAGE) || !m.caller || m.badge >= pool->workers)
            continue;
        take(pool, &m);
        for (unsigned i = 0; m.label == POOL_RESULT && i < pool->workers; i++) {
            uint64_t caller = parked[i];
            parked[i] = 0;
            if (caller)
                answer(pool, i, caller, false);
        }
    }
    pool->elapsed_ns = os2_now_ns() - begun;
    good = good && team.good;
    os2_team_close(&team);
    return good;
}

void os2_pool_print(const struct os2_pool *pool) {
    for (unsigned i = 0; i < pool->workers; i++) {
        os2_printf("worker %u: %lu tasks%s", i, pool->tasks[i], pool->cores[i] ? " on core" : "");
        for (unsigned core = 0; core < 64; core++)
            if (pool->cores[i] & UINT64_C(1) << core)
                os2_printf(" %u", core);
        os2_printf("\n");
    }
    os2_printf("%lu us\n", pool->elapsed_ns / 1000);
}

/* ---- In a worker. ---- */

static unsigned supervisor;
static unsigned accepts;

/* 1: a task came, 0: there is none, -1: the supervisor does not answer. */
static int ask(struct os2_message *m, bool block, struct os2_task *ret_task) {
    if (os2_call(supervisor, OS2_ACCEPT(accepts) | (block ? OS2_F_BLOCK : 0), m) < 0)
        return -1;
    if (m->label != POOL_TASK)
        return 0;
    *ret_task = (struct os2_task){.w = {m->w[0], m->w[1], m->w[2]}};
    if (m->control & OS2_I_BLOCK) {
        ret_task->block = os2_message_block(m);
        ret_task->order = os2_message_order(m);
    }
    return 1;
}

bool os2_pool_more(struct os2_task *ret_task) {
    struct os2_message m = {.label = POOL_MORE};
    return ask(&m, false, ret_task) == 1;
}

int os2_pool_work(unsigned accept, bool (*work)(struct os2_task *task)) {
    struct os2_message m = {.label = POOL_FIRST};
    struct os2_task task = {0};
    int got;

    supervisor = os2_start_handle("supervisor");
    accepts = accept;
    while ((got = ask(&m, task.block, &task)) > 0) {
        struct os2_process_facts self;
        if (!work(&task))
            return 1;
        m = (struct os2_message){.label = POOL_RESULT, .w = {task.w[0], task.w[1], task.w[2], (uintptr_t)task.block}};
        m.w[4] = os2_process_facts(0, 0, &self) < 0 ? 0 : self.core;
    }
    return got < 0;
}

bool os2_pool_arguments(int argc, char **argv, uint64_t least, uint64_t most, uint64_t *n, unsigned *workers) {
    uint64_t count = OS2_POOL_WORKERS;

    if (argc <= 3 && (argc < 2 || os2_string_number(argv[1], n)) && (argc < 3 || os2_string_number(argv[2], &count)) &&
        *n >= least && *n <= most && count >= 1 && count <= OS2_POOL_WORKERS_MAX) {
        *workers = (unsigned)count;
        return true;
    }
    os2_error("a number from %lu to %lu, please (and how many workers, 1 to %u)", least, most, OS2_POOL_WORKERS_MAX);
    return false;
}
