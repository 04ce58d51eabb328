/* SPDX-License-Identifier: MIT */
/*
 * One core is held at each step of a short way, while others take over what it is about to touch.
 *
 * A server and a client have run on core 1. One of them, the mover, makes a system call there, and its core is held at
 * the k-th point of tests/host/port.h, at an ordered access or before a plain load. Meanwhile init, on core 0, does
 * something to the victim, who is the mover or the other one, and goes as far as it gets: see enum way. Then the held
 * core goes on. This is done for each k, way, victim and scene. Nothing here is left to chance: hardware walks only
 * where play() says, so what is found is found each time.
 *
 * Checked: every invariant of host_check(); at each hold, that no core's root is freed; a newcomer in the victim's
 * slot, whom nobody knows, is as it was to the last byte, and so is memory that was the victim's and is init's by then;
 * who lives has what the call promises, word by word; in the end everything is back.
 *
 * In one more scene nobody is held: see fence_owed().
 *
 *     held [--scene NAME] [--mutant]
 *
 * --scene: that one alone. --mutant: the test passes if something is noticed.
 */
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/state.h"
#include "tests/unit/machine.h"

enum who { SERVER, CLIENT, PARTIES };
static const char *const names[PARTIES] = {"the server", "the client"};

static struct party {
    struct process *process;
    struct slot *slot;
    uint64_t life, page;
    unsigned control, bits; /* init's handles */
    unsigned inbox, notify; /* its own, to the other one */
} party[PARTIES];

/* What init does to the victim. */
enum way {
    WAY_WOKEN,    /* notify it: where it waits for that, it runs, makes a call and waits anew */
    WAY_DOOMED,   /* kill it */
    WAY_ENDED,    /* and have it end, up to its free slot */
    WAY_REUSED,   /* and get its memory */
    WAY_FOLLOWED, /* as ENDED, and make another process, who waits in the same slot and most of the same memory */
    WAY_REPLACED, /* as REUSED, and make another process, who waits in the same slot and in other memory */
    WAYS
};
static const char *const ways[WAYS] = {"woken", "doomed", "ended", "memory reused", "followed", "replaced"};

#define WORD UINT64_C(0x1100)   /* the message: LABEL is WORD + 1 and so on */
#define ANSWER UINT64_C(0x2200) /* and an answer */
#define BIT_MOVER UINT64_C(1)   /* what the mover notifies of, and init */
#define BIT_INIT UINT64_C(2)
#define FILL 0xa5 /* what init's pages are full of */
#define PAGES_MOST 200

static const struct scene *scene;
static enum who victim;
static enum way way;
static uint64_t step;
static bool mutant, killed;
static uint64_t got; /* bits that the victim has received while the core was held */
static uint64_t pages[PAGES_MOST];
static unsigned page_count;
static struct process *newcomer;
static unsigned newcomer_control;
static uint64_t newcomer_word;
static uint8_t newcomer_was[OS2_PAGE_SIZE];

static void where(void);

static void noticed(const char *what) {
    if (mutant)
        printf("ok 1 caught: ");
    else
        printf("Bail out! ");
    where();
    printf(": %.*s\n", (int)strcspn(what, "\n"), what);
    fflush(stdout);
    _Exit(!mutant);
}

static void on_abort(void) {
    noticed(host_panic[0] == '\n' ? host_panic + 1 : host_panic);
}

/* An access where there is no memory, and whatever else the sanitizers see. They say more, and end the test. */
static void on_death(void) {
    if (mutant)
        noticed("as a sanitizer says");
    printf("Bail out! ");
    where();
    printf(": as a sanitizer says\n");
    fflush(stdout);
}

/* Called by the library of -fsanitize=undefined. */
void __ubsan_on_report(void);
void __ubsan_on_report(void) {
    on_death();
}

static bool lives_on(enum who who) {
    return slot_generation(party[who].slot) == party[who].life && !slot_doomed(party[who].slot);
}

static bool waits(enum who who) {
    return state_waits(party[who].slot->word);
}

/* ---- init, on core 0. Each returns false if it cannot go on while core 1 is held. ---- */

#define PATIENCE 60

static bool core_0_rests(void) {
    for (unsigned i = 0; i < PATIENCE && host_rest(0) == HOST_KERNEL; i++)
        host_continue(0);
    return host_rest(0) == HOST_USER;
}

static bool acts(struct process *p, uint64_t control, const uint64_t *arguments) {
    if (!core_0_rests() || cores[0]->current != p)
        return false;
    memcpy(p->reg, arguments, sizeof p->reg);
    p->reg[OS2_R_CONTROL] = control;
    do
        host_syscall(0);
    while (core_0_rests() && cores[0]->current == p && p->context.again);
    return host_rest(0) == HOST_USER;
}
#define ACTS(p, control, ...) acts(p, control, (const uint64_t[OS2_R_COUNT]){0, __VA_ARGS__})

static bool init_yields_to(const struct process *p) {
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (cores[0]->current == p)
            return true;
        if (!ACTS(init, OS2_SYS_yield, 0))
            break;
    }
    return false;
}

static bool end_victim(void) {
    struct slot *slot = party[victim].slot;
    for (unsigned i = 0; i < PATIENCE && state_kind(slot->word) != KIND_DEAD; i++)
        if (!ACTS(init, OS2_SYS_yield, 0))
            return false;
    return state_kind(slot->word) == KIND_DEAD && ACTS(init, OS2_SYS_handle_close | HANDLE(party[victim].control), 0) &&
           state_kind(slot->word) == KIND_FREE;
}

static uint8_t *bytes_at(uint64_t block) {
    return arch_phys_to_virt(block - OS2_EXCHANGE_BASE);
}

/* init gets pages until one is the frame that was `object`. */
static bool reuse(const void *object) {
    for (page_count = 0; page_count < PAGES_MOST;) {
        if (!ACTS(init, OS2_SYS_block_alloc, 0) || STATUS(init) < 0)
            return false;
        uint64_t page = pages[page_count++] = init->reg[OS2_R_LABEL];
        memset(bytes_at(page), FILL, OS2_PAGE_SIZE);
        if (bytes_at(page) == object)
            return true;
    }
    noticed("the memory of one who has ended is nowhere");
    return false;
}

static bool follow(void) {
    if (!ACTS(init, OS2_SYS_process_create, 40, 100, 0, BIT_MOVER << 40) || STATUS(init) < 0)
        return false;
    newcomer_control = (unsigned)init->reg[OS2_R_LABEL];
    struct slot *slot = &machine.slot[handle_slot(init->handles->entry[newcomer_control].target)];
    if (slot != party[victim].slot)
        noticed("a slot is not used again");
    struct process *p = slot->process;
    if (!ACTS(init, OS2_SYS_process_start | HANDLE(newcomer_control), 0x10000) || !init_yields_to(p) ||
        !ACTS(p, OS2_SYS_receive | OS2_F_DEADLINE, 0) || !ACTS(p, OS2_SYS_receive, 0))
        return false;
    newcomer_word = slot->word;
    memcpy(newcomer_was, p, sizeof *p);
    newcomer = p;
    return true;
}

/* The woken server receives again on core 0, held at step `inner` of that (0: not), while core 1 goes on. */
static uint64_t inner;
static bool receives_again(void) {
    memset(party[SERVER].process->reg, 0, sizeof party[SERVER].process->reg);
    party[SERVER].process->reg[OS2_R_CONTROL] = OS2_SYS_receive | ACCEPT(0);
    host_stop_in = inner;
    host_syscall(0);
    host_stop_in = 0;
    for (unsigned i = 0; i < PATIENCE && host_rest(1) == HOST_KERNEL; i++)
        host_continue(1);
    return core_0_rests();
}

/* The victim has bits. Where it waited for them, it runs on core 0 now. */
static bool wake(void) {
    struct process *p = party[victim].process;
    if (!ACTS(init, OS2_SYS_notify | HANDLE(party[victim].bits), BIT_INIT))
        return false;
    if (state_kind(party[victim].slot->word) != KIND_RDY || state_peer(party[victim].slot->word) != 0)
        return true;
    if (!init_yields_to(p))
        return false;
    got |= p->reg[OS2_R_BITS];
    return ACTS(p, OS2_SYS_handle_mint, 9, 9, 9, 9, 9, 9, 9, 9, 9) &&
           (inner ? receives_again() : ACTS(p, OS2_SYS_receive | ACCEPT(0), 0));
}

/* True: all that the way is. */
static bool interfere(void) {
    const void *object = party[victim].process;
    if (way == WAY_WOKEN)
        return wake();
    killed = true;
    return ACTS(init, OS2_SYS_process_kill | HANDLE(party[victim].control), 0) &&
           (way == WAY_DOOMED || (end_victim() && (way == WAY_ENDED || way == WAY_FOLLOWED || reuse(object)) &&
                                  (way < WAY_FOLLOWED || follow())));
}

/* ---- Both cores. ---- */

static void rest(void) {
    if (!come_to_rest())
        noticed("the machine does not come to rest");
}

/* init makes a call, on whatever core it is by now; whoever else runs gives way. */
static void init_calls(uint64_t control, uint64_t label) {
    for (unsigned i = 0; i < PATIENCE; i++) {
        rest();
        for (unsigned core = 0; core < machine.core_count; core++) {
            struct process *p = cores[core]->current;
            if (host_rest(core) != HOST_USER)
                continue;
            memset(p->reg, 0, sizeof p->reg);
            p->reg[OS2_R_CONTROL] = p == init ? control : OS2_SYS_yield;
            p->reg[OS2_R_LABEL] = p == init ? label : 0;
            host_syscall(core);
            if (p != init)
                continue;
            rest();
            return;
        }
    }
    noticed("init does not come to run");
}

/* Time passes, in which cores look for work, and ends go on. */
static void later(void) {
    for (unsigned i = 0; i < 6; i++) {
        host_clock += HOST_CLOCK_HZ / 100;
        init_calls(OS2_SYS_yield, 0);
    }
}

static void all_is_well(void) {
    rest();
    const char *why = host_check();
    if (why)
        noticed(why);
}

/* A party makes a call on core 1, where it is current. */
static void moves(enum who who, uint64_t control, const uint64_t *arguments) {
    struct process *p = party[who].process;
    if (host_rest(1) != HOST_USER || cores[1]->current != p)
        noticed("somebody is not where the scene has them");
    memcpy(p->reg, arguments, sizeof p->reg);
    p->reg[OS2_R_CONTROL] = control;
    host_syscall(1);
}
#define MOVES(who, control, ...) moves(who, control, (const uint64_t[OS2_R_COUNT]){0, __VA_ARGS__})

static void arrive(enum who who) {
    struct party *p = &party[who];
    p->process = spawn(init, 40, &p->control);
    p->slot = p->process->slot;
    p->life = slot_generation(p->slot);
    p->bits = handle_to(init, p->process, OS2_HANDLE_NOTIFY, ALL, UINT64_MAX);
    rest();
    MOVES(who, OS2_SYS_block_alloc, 0);
    p->page = p->process->reg[OS2_R_LABEL];
}

static void begin(void) {
    killed = false;
    newcomer = NULL;
    newcomer_control = page_count = 0;
    got = 0;
    host_boot(&(struct host_config){.cores = 2, .ram_bytes = 16 << 20, .quiet = true, .seed = 1});
    init = cores[0]->current;
}

/* Two who have handles to each other; the server waits, and the client runs on core 1. A poll that finds nothing leaves
 * registers that are blank, which is what notify() needs. */
static void meet(void) {
    arrive(SERVER);
    MOVES(SERVER, OS2_SYS_receive | OS2_F_DEADLINE, 0);
    MOVES(SERVER, OS2_SYS_receive | ACCEPT(0), 0);
    rest();
    arrive(CLIENT);
    for (unsigned i = 0; i < PARTIES; i++) {
        party[i].inbox = handle_to(party[i].process, party[!i].process, OS2_HANDLE_INBOX, ALL, i + 1);
        party[i].notify = handle_to(party[i].process, party[!i].process, OS2_HANDLE_NOTIFY, ALL, UINT64_MAX);
    }
}

/* Whoever is left ends, and all that was taken is back. */
static void finish(uint64_t free_before, uint64_t quota) {
    for (unsigned i = 0; i < page_count; i++)
        init_calls(OS2_SYS_block_free, pages[i]);
    for (unsigned i = 0; i < PARTIES; i++)
        init_calls(OS2_SYS_handle_close | HANDLE(party[i].bits), 0);
    for (unsigned i = 0; i < PARTIES; i++)
        init_calls(OS2_SYS_handle_close | HANDLE(party[i].control), 0);
    if (newcomer_control)
        init_calls(OS2_SYS_handle_close | HANDLE(newcomer_control), 0);
    later();
    all_is_well();
    for (unsigned i = 0; i < PARTIES; i++)
        if (state_kind(party[i].slot->word) != KIND_FREE)
            noticed("somebody does not end");
    if (init->space.quota != quota)
        noticed("the quota is not back");
    if (heap_free_pages(&machine.heap) != free_before)
        noticed("pages are not back");
}

/* ---- Scenes. ---- */

static bool has_words(enum who who, uint64_t words) {
    const uint64_t *reg = party[who].process->reg;
    return STATUS(party[who].process) > 0 && reg[OS2_R_CONTROL] & OS2_I_MESSAGE && reg[OS2_R_LABEL] == words + 1 &&
           reg[OS2_R_W0] == words + 2 && reg[OS2_R_W1] == words + 3 && reg[OS2_R_W2] == words + 4;
}

#define WORDS(words, w3) (words) + 1, (words) + 2, (words) + 3, (words) + 4, w3

static void call_words(void) {
    MOVES(CLIENT, OS2_SYS_call | ACCEPT(0) | HANDLE(party[CLIENT].inbox), WORDS(WORD, WORD + 5));
}

static void call_block(void) {
    MOVES(CLIENT, OS2_SYS_call | OS2_F_BLOCK | ACCEPT(0) | HANDLE(party[CLIENT].inbox),
          WORDS(WORD, party[CLIENT].page));
}

/* The same two the long way, which a deadline asks for. */
#define LATE (NOW + 100 * HOST_CLOCK_HZ)

static void call_late(void) {
    MOVES(CLIENT, OS2_SYS_call | OS2_F_DEADLINE | ACCEPT(0) | HANDLE(party[CLIENT].inbox), WORDS(WORD, WORD + 5), LATE);
}

static void judge_call(void) {
    if (!lives_on(CLIENT)) {
        if (!waits(SERVER) && !has_words(SERVER, WORD))
            noticed("the server was woken by no message");
    } else if (!lives_on(SERVER)) {
        if (waits(CLIENT) || STATUS(party[CLIENT].process) != OS2_E_DIED)
            noticed("a caller is not told that the server has ended");
    } else if (!waits(CLIENT) || waits(SERVER) || !has_words(SERVER, WORD)) {
        noticed("a call does not arrive");
    }
}

#define ANSWERED (party[SERVER].process->reg[OS2_R_CALLER])

static void answer_words(void) {
    MOVES(SERVER, OS2_SYS_reply_receive | ACCEPT(0), WORDS(ANSWER, ANSWER + 5), 0, ANSWERED);
}

static void answer_block(void) {
    MOVES(SERVER, OS2_SYS_reply_receive | OS2_F_BLOCK | ACCEPT(0), WORDS(ANSWER, party[SERVER].page), 0, ANSWERED);
}

static void answer_late(void) {
    MOVES(SERVER, OS2_SYS_reply_receive | OS2_F_DEADLINE | ACCEPT(0), WORDS(ANSWER, ANSWER + 5), LATE, ANSWERED);
}

static void judge_answer(void) {
    bool answered = lives_on(CLIENT) && !waits(CLIENT) && has_words(CLIENT, ANSWER);
    if (lives_on(CLIENT) && !lives_on(SERVER)) {
        if (!answered && (waits(CLIENT) || STATUS(party[CLIENT].process) != OS2_E_DIED))
            noticed("a caller has neither an answer nor an error");
    } else if (lives_on(CLIENT)) {
        if (!answered)
            noticed("an answer does not arrive");
    } else if (!waits(SERVER) && STATUS(party[SERVER].process) != OS2_E_NOT_WAITING) { /* a block has nowhere to go */
        noticed("a server that answered nobody does not wait");
    }
}

static void notify(void) {
    MOVES(CLIENT, OS2_SYS_notify | HANDLE(party[CLIENT].notify), BIT_MOVER);
}

static void judge_notify(void) {
    const struct process *client = party[CLIENT].process, *server = party[SERVER].process;
    if (lives_on(CLIENT) && (waits(CLIENT) || (STATUS(client) != OS2_OK && STATUS(client) != OS2_E_DIED) ||
                             (lives_on(SERVER) && STATUS(client) != OS2_OK)))
        noticed("notify ends as it cannot");
    if (!lives_on(SERVER))
        return;
    bool has = ((waits(SERVER) ? 0 : server->reg[OS2_R_BITS]) | got | party[SERVER].slot->note) & BIT_MOVER;
    if (!has && lives_on(CLIENT))
        noticed("the bits of a notify are lost");
}

static void receive_short(void) {
    MOVES(SERVER, OS2_SYS_receive | ACCEPT(0), 0);
}

static void receive_from(void) {
    MOVES(SERVER, OS2_SYS_receive | OS2_F_FROM | HANDLE(party[SERVER].inbox), 0);
}

static void judge_receive_from(void) {
    if (lives_on(SERVER) && (lives_on(CLIENT) ? !waits(SERVER) : STATUS(party[SERVER].process) != OS2_E_DIED))
        noticed("a receive from one who has ended does not end, or another one does");
}

static void judge_receive(void) {
    if (lives_on(SERVER) && !got && !waits(SERVER) && party[SERVER].process->reg[OS2_R_BITS] != BIT_INIT)
        noticed("a receive ends without anything");
}

static void before_answer(void) {
    meet();
    call_words();
}

static void before_receive(void) {
    meet();
    MOVES(CLIENT, OS2_SYS_notify | HANDLE(party[CLIENT].notify), BIT_MOVER);
    MOVES(CLIENT, OS2_SYS_receive, 0);
}

static const struct scene {
    const char *name;
    enum who mover;
    void (*prepare)(void), (*move)(void), (*judge)(void);
    const uint64_t *shorts; /* how often its short way was gone, if that is counted */
} scenes[] = {
    {"call", CLIENT, meet, call_words, judge_call, &short_counts.calls},
    {"call-block", CLIENT, meet, call_block, judge_call, &short_counts.blocks},
    {"call-late", CLIENT, meet, call_late, judge_call, NULL},
    {"answer", SERVER, before_answer, answer_words, judge_answer, &short_counts.replies},
    {"answer-block", SERVER, before_answer, answer_block, judge_answer, &short_counts.blocks},
    {"answer-late", SERVER, before_answer, answer_late, judge_answer, NULL},
    {"notify", CLIENT, meet, notify, judge_notify, NULL},
    {"receive", SERVER, before_receive, receive_short, judge_receive, &short_counts.waits},
    {"receive-from", SERVER, before_receive, receive_from, judge_receive_from, NULL},
};
#define SCENES (sizeof scenes / sizeof *scenes)

/* The server that answers is woken, and parks the very call that it answers: both cores are held. */
static const struct scene parked = {"answer-parked", SERVER, before_answer, answer_words, judge_answer, NULL};
#define INNER 20u

static void where(void) {
    if (scene)
        printf("%s, %s %s, held at step %lu", scene->name, names[victim], ways[way], step);
    else
        printf("a fence that is owed");
}

static void judge(void) {
    if (killed && lives_on(victim))
        noticed("the killed one lives");
    if (way == WAY_WOKEN && waits(victim) && !((got | party[victim].slot->note) & BIT_INIT))
        noticed("bits are lost");
    if (newcomer && (party[victim].slot->word != newcomer_word || party[victim].slot->note ||
                     party[victim].slot->process != newcomer || memcmp(newcomer_was, newcomer, sizeof *newcomer)))
        noticed("a newcomer is touched by what was meant for who was there before");
    for (unsigned i = 0; i < page_count; i++)
        for (unsigned byte = 0; byte < OS2_PAGE_SIZE; byte++)
            if (bytes_at(pages[i])[byte] != FILL)
                noticed("memory is written that is another's");
    scene->judge();
}

struct count {
    uint64_t steps, whole; /* of these, how often init got to the end of what it does */
};

/* Hold the core at `step`. False: the call has fewer. */
static bool play(struct count *count) {
    begin();
    uint64_t free_before = heap_free_pages(&machine.heap), quota = init->space.quota;
    scene->prepare();
    all_is_well();
    uint64_t shorts = scene->shorts ? *scene->shorts : 0;
    host_stop_in = step;
    scene->move();
    bool held = host_stop_in == 0;
    if (!held && scene->shorts && *scene->shorts == shorts)
        noticed("the short way is not gone where nobody is held");
    host_stop_in = 0;
    if (held) {
        count->steps++;
        /* A call that is taken at once switches to the server before its caller is anybody's. */
        if (scene->mover == CLIENT && state_kind(party[CLIENT].slot->word) == KIND_CAL &&
            cores[1]->current == party[CLIENT].process)
            noticed("a caller is published before its core has left it");
        count->whole += interfere();
        for (unsigned i = 0; i < machine.core_count; i++)
            for (unsigned j = 0; j < PARTIES; j++)
                tlb_touch(i, party[j].page);
    }
    all_is_well();
    if (held)
        judge();
    finish(free_before, quota);
    return held;
}

/* ---- Nobody is held. ---- */

/*
 * The client sends its page along while the server is not waiting; the server takes it when the client's tables are not
 * loaded, so a fence is owed to those. Then it answers, on the core that has the client's translations. The client must
 * not run with that of the page. True: the answer went the long way, which fences.
 */
static bool fence_owed(void) {
    begin();
    uint64_t free_before = heap_free_pages(&machine.heap), quota = init->space.quota;
    meet();
    MOVES(CLIENT, OS2_SYS_notify | HANDLE(party[CLIENT].notify), BIT_MOVER); /* so the server is ready, and here */
    tlb_touch(1, party[CLIENT].page);
    uint64_t hits = tlb_counts.hits;
    const char *why = tlb_access(1, party[CLIENT].page, OS2_FAULT_READ);
    if (why || tlb_counts.hits == hits)
        noticed("the client's page is not cached");
    call_block();
    MOVES(SERVER, OS2_SYS_receive | ACCEPT(0), 0);
    if (!has_words(SERVER, WORD))
        noticed("a call does not arrive");
    uint64_t replies = short_counts.replies;
    answer_words();
    if (host_rest(1) != HOST_USER || cores[1]->current != party[CLIENT].process || !has_words(CLIENT, ANSWER))
        noticed("an answer does not arrive");
    bool the_long_way = short_counts.replies == replies;
    all_is_well();
    finish(free_before, quota);
    return the_long_way;
}

int main(int argc, char **argv) {
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        mutant |= strcmp(argv[i], "--mutant") == 0;
        if (strcmp(argv[i], "--scene") == 0 && i + 1 < argc)
            only = argv[i + 1];
    }
    host_abort = on_abort;
    __sanitizer_set_death_callback(on_death);
    unsigned number = 0;
    printf("1..%u\n", mutant || only ? 1 : (unsigned)(SCENES * PARTIES + 2));
    for (const struct scene *s = scenes; s < scenes + SCENES; s++) {
        for (enum who who = 0; who < PARTIES; who++) {
            struct count count = {0, 0};
            if (only && strcmp(only, s->name) != 0)
                continue;
            scene = s;
            victim = who;
            for (way = 0; way < WAYS; way++)
                for (step = 1; play(&count); step++)
                    ;
            if (!mutant)
                printf("%sok %u - %s: %s held at %lu steps, %s taken over, to the end %lu times\n",
                       count.steps > 2 * WAYS && count.whole > count.steps / 4 ? "" : "not ", ++number, s->name,
                       names[s->mover], count.steps, names[who], count.whole);
        }
    }
    if (!only || strcmp(only, parked.name) == 0) {
        struct count count = {0, 0};
        scene = &parked, victim = SERVER, way = WAY_WOKEN;
        for (inner = 1; inner <= INNER; inner++)
            for (step = 1; play(&count);)
                step++;
        if (!mutant)
            printf("%sok %u - answer-parked, both held\n", count.steps > INNER ? "" : "not ", ++number);
    }
    scene = NULL;
    bool fenced = only && strcmp(only, "fence") != 0 ? true : fence_owed();
    if (mutant)
        printf("not ok 1 nobody noticed\n");
    else if (!only || strcmp(only, "fence") == 0)
        printf("%sok %u - a client to whom a fence is owed is not answered without it\n", fenced ? "" : "not ",
               ++number);
    return 0;
}
