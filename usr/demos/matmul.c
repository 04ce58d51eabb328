/* SPDX-License-Identifier: MIT */
/*
 * matmul: the product of two square matrices, strip by strip over processes.
 *
 * A task is a block with a strip of rows of A, and room for the same rows of the product, which come back in it. Each
 * worker asks once for a copy of B. Numbers are integers modulo 2^64; the product is checked with a random vector:
 * C r = A (B r) for every row.
 */
#include "os2/call.h"
#include "os2/pool.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"

#define SIZE_MAX_ROWS 256u
#define STRIP 8u /* rows */

struct product {
    uint64_t n, next_row, rows_done;
    uint64_t *a, *b;
    uint64_t br[SIZE_MAX_ROWS], r[SIZE_MAX_ROWS];
    bool wrong;
};

static unsigned order_of(uint64_t bytes) {
    unsigned order = 0;
    while (OS2_PAGE_SIZE << order < bytes)
        order++;
    return order;
}

static bool work(struct os2_task *task) {
    static uint64_t *b;
    uint64_t n = task->w[0], rows = task->w[2], *a = task->block, *c = a + rows * n;

    if (!b) {
        struct os2_task copy;
        if (!os2_pool_more(&copy))
            return false;
        b = copy.block;
    }
    memset(c, 0, rows * n * sizeof(*c));
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t k = 0; k < n; k++)
            for (uint64_t j = 0; j < n; j++)
                c[i * n + j] += a[i * n + k] * b[k * n + j];
    return true;
}

static enum os2_pool_state next(void *context, unsigned worker, bool more, struct os2_task *ret_task) {
    struct product *p = context;
    uint64_t n = p->n, rows = n - p->next_row < STRIP ? n - p->next_row : STRIP;
    uint64_t bytes = more ? n * n * sizeof(*p->b) : 2 * STRIP * n * sizeof(*p->a);

    (void)worker;
    if (!more && rows == 0)
        return OS2_POOL_END;
    ret_task->order = order_of(bytes);
    if (os2_block_alloc(ret_task->order, &ret_task->block) < 0)
        return OS2_POOL_END;
    if (more) {
        memcpy(ret_task->block, p->b, bytes);
        return OS2_POOL_TASK;
    }
    memcpy(ret_task->block, p->a + p->next_row * n, rows * n * sizeof(*p->a));
    ret_task->w[0] = n;
    ret_task->w[1] = p->next_row;
    ret_task->w[2] = rows;
    p->next_row += rows;
    return OS2_POOL_TASK;
}

static uint64_t dot(const uint64_t *row, const uint64_t *vector, uint64_t n) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += row[i] * vector[i];
    return sum;
}

static bool done(void *context, unsigned worker, struct os2_task *result) {
    struct product *p = context;
    uint64_t first = result->w[1], rows = result->w[2], n = p->n;
    const uint64_t *c = (uint64_t *)result->block + rows * n;

    (void)worker;
    if (!result->block || first + rows > n)
        return false;
    for (uint64_t i = 0; i < rows; i++)
        if (dot(c + i * n, p->r, n) != dot(p->a + (first + i) * n, p->br, n))
            return false;
    p->rows_done += rows;
    return os2_block_free(result->block) >= 0;
}

static bool fill(struct product *p) {
    uint64_t x = 1, n = p->n;
    void *a, *b;

    if (os2_block_alloc(order_of(n * n * sizeof(*p->a)), &a) < 0 ||
        os2_block_alloc(order_of(n * n * sizeof(*p->b)), &b) < 0)
        return false;
    p->a = a;
    p->b = b;
    for (uint64_t i = 0; i < n * n; i++) {
        p->a[i] = x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        p->b[i] = x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
    }
    for (uint64_t i = 0; i < n; i++)
        p->r[i] = x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
    for (uint64_t i = 0; i < n; i++)
        p->br[i] = dot(p->b + i * n, p->r, n);
    return true;
}

int main(int argc, char **argv) {
    static struct product p;
    struct os2_pool pool = {.program = "matmul", .context = &p, .next = next, .done = done};
    unsigned accept = order_of(SIZE_MAX_ROWS * SIZE_MAX_ROWS * sizeof(uint64_t));

    p.n = 96;
    if (os2_team_role(argc, argv))
        return os2_pool_work(accept, work);
    if (!os2_pool_arguments(argc, argv, 1, SIZE_MAX_ROWS, &p.n, &pool.workers))
        return 2;
    pool.accept = accept;
    pool.pages = (UINT64_C(2) << order_of(p.n * p.n * sizeof(uint64_t))) + 64;
    if (!fill(&p)) {
        os2_error("no memory for the matrices");
        return 1;
    }
    if (!os2_pool_run(&pool))
        return 1;
    os2_pool_print(&pool);
    os2_printf("%lu of %lu rows right\n", p.rows_done, p.n);
    return p.rows_done != p.n;
}
