/* SPDX-License-Identifier: MIT */
/*
 * primes: count the primes up to N on several processes.
 *
 * The program starts itself again as workers. A worker calls its supervisor with what it found in its last range, and
 * the answer is the next range, or that there is none. Nothing says which worker runs where: ready workers are stolen
 * by idle cores, and each worker looks after every range which core it was on.
 */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"

#define WORKERS 4u
#define WORKERS_MAX 16u
#define RANGES 64u      /* per run, so that a slow worker holds up little */
#define RANGE_MAX 5000u /* keeps a range well below the watchdog's limit */

/* ASK, in: W0 = primes found, W1 = the core it was done on + 1 (0: nothing yet). Out: W0, W1 = range, empty: done. */
enum { PRIMES_ASK = 1 };

struct worker {
    struct os2_child child;
    uint64_t found, ranges, cores; /* cores: a bit for each one seen */
    bool ended;
};

static struct worker workers[WORKERS_MAX];

static bool is_prime(uint64_t n) {
    if (n < 4)
        return n >= 2;
    if (n % 2 == 0)
        return false;
    for (uint64_t d = 3; d * d <= n; d += 2)
        if (n % d == 0)
            return false;
    return true;
}

static int work(void) {
    unsigned supervisor = os2_start_handle("supervisor");
    uint64_t found = 0, core = 0;

    for (;;) {
        struct os2_message m = {.label = PRIMES_ASK, .w = {found, core}};
        struct os2_process_facts self;

        if (os2_call(supervisor, 0, &m) < 0)
            return 1;
        if (m.w[0] >= m.w[1])
            return 0;
        found = 0;
        for (uint64_t n = m.w[0]; n < m.w[1]; n++)
            found += is_prime(n);
        core = os2_process_facts(0, 0, &self) < 0 ? 0 : self.core + UINT64_C(1);
    }
}

static int worker_start(unsigned number, const void *image, uint64_t size) {
    static const char *const argv[] = {"primes", "--worker"};
    struct worker *worker = &workers[number];
    struct os2_child_plan plan = {.image = image,
                                  .image_size = size,
                                  .process = {.watchdog_ms = OS2_WATCHDOG_DEFAULT_MS,
                                              .end_bits = UINT64_C(1) << number,
                                              .name = "primes-worker"}};
    unsigned self;
    int status = os2_child_create(&plan, &worker->child, NULL);

    if (status < 0)
        return status;
    status = os2_handle_mint(0, OS2_HANDLE_INBOX, number, OS2_RIGHT_SEND | OS2_RIGHT_GIVE, &self);
    if (status >= 0) {
        status = os2_child_grant(&worker->child, "supervisor", self, OS2_RIGHT_SEND);
        os2_handle_close(self);
    }
    if (status >= 0)
        status = os2_child_start(&worker->child, 2, argv);
    if (status < 0)
        os2_child_drop(&worker->child);
    return status;
}

static unsigned workers_start(unsigned count) {
    unsigned started = 0;
    uint64_t size;
    void *image;
    int status = os2_file_load("/boot/primes", &image, &size);

    if (status < 0) {
        os2_error("cannot load the workers' program: %s", os2_status_text(status));
        return 0;
    }
    while (started < count && (status = worker_start(started, image, size)) >= 0)
        started++;
    if (status < 0)
        os2_error("worker %u: %s", started, os2_status_text(status));
    os2_block_free(image);
    return started;
}

/* Takes what a worker found and gives it the next range. */
static void hand_out(const struct os2_message *ask, uint64_t limit, uint64_t *next) {
    struct worker *worker = &workers[ask->badge];
    struct os2_message answer = {.caller = ask->caller};
    uint64_t size = limit / RANGES + 1, left = limit + 1 - *next;

    if (size > RANGE_MAX)
        size = RANGE_MAX;
    if (size > left)
        size = left;
    if (ask->w[1]) {
        worker->found += ask->w[0];
        worker->ranges++;
        worker->cores |= ask->w[1] <= 64 ? UINT64_C(1) << (ask->w[1] - 1) : 0;
    }
    answer.w[0] = *next;
    answer.w[1] = *next += size;
    os2_reply(0, &answer);
}

static bool worker_ended(struct worker *worker) {
    struct os2_process_end end;
    char how[160];

    if (worker->ended || os2_process_end(worker->child.control, 0, &end) < 0)
        return true;
    worker->ended = true;
    os2_child_describe(&worker->child, &end, how, sizeof(how));
    os2_child_drop(&worker->child);
    if (end.reason == OS2_END_EXIT && end.value == 0)
        return true;
    os2_error("a worker ended: %s", how);
    return false;
}

static void print_workers(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        os2_printf("worker %u: %lu primes in %lu ranges%s", i, workers[i].found, workers[i].ranges,
                   workers[i].cores ? " on core" : "");
        for (unsigned core = 0; core < 64; core++)
            if (workers[i].cores & UINT64_C(1) << core)
                os2_printf(" %u", core);
        os2_printf("\n");
    }
}

int main(int argc, char **argv) {
    uint64_t limit, next = 0, count = WORKERS, total = 0;
    unsigned started, running;
    bool good = true;

    if (argc == 2 && strcmp(argv[1], "--worker") == 0)
        return work();
    if (argc < 2 || argc > 3 || !os2_string_number(argv[1], &limit) || limit > UINT32_MAX ||
        (argc == 3 && (!os2_string_number(argv[2], &count) || count < 1 || count > WORKERS_MAX))) {
        os2_error("up to which number? (and with how many workers, 1 to %u)", WORKERS_MAX);
        return 2;
    }
    started = running = workers_start((unsigned)count);
    if (!started)
        return 1;
    while (running) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            continue;
        if (m.control & OS2_I_MESSAGE && m.caller && m.badge < started)
            hand_out(&m, limit, &next);
        for (unsigned i = 0; m.control & OS2_I_BITS && i < started; i++) {
            if (m.bits & UINT64_C(1) << i) {
                good &= worker_ended(&workers[i]);
                running--;
            }
        }
    }
    for (unsigned i = 0; i < started; i++)
        total += workers[i].found;
    print_workers(started);
    os2_printf("%lu primes up to %lu\n", total, limit);
    return good ? 0 : 1;
}
