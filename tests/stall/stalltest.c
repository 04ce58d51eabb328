/* SPDX-License-Identifier: MIT */
/*
 * stalltest: programs that call, answer and notify each other, and are killed and made anew meanwhile, all the time;
 * for a kernel whose processors are taken away now and then (tests/stall/stall.py, which also says when it is enough,
 * by a line of input). Prints TAP.
 *
 * A member is a process in a role, which talks to one other member at most. The two victims, a server and a caller, are
 * killed in turn, each a moment after the other; and one of the others now and then. A victim is one small function: so
 * QEMU, which translates each new process's code anew, makes many of them in a second. A member whose peer has ended
 * asks the supervisor for a handle to the one that took its place. What it sees otherwise are the statuses that the
 * manual names for the call; any other ends it, with that status, and so fails the test.
 *
 * Those that live long are hostile. At each call they have the kernel's address of a page of theirs in tp (on x86_64
 * nothing of the kind can be done), and each word of it is such an address too. A kernel that took what the program had
 * in tp for its own would go on by what stands there. They look whether anybody wrote to that page.
 */
#include "arch_stub.h"
#include "arch_user.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/devices.h"
#include "os2/file.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define WORDS (OS2_PAGE_SIZE / sizeof(uint64_t))

enum role { ROLE_SERVER, ROLE_CALLER, ROLE_NOTIFIER, ROLE_IDLER, ROLE_READER, ROLE_SUPERVISOR };

/* How a member ends that saw something wrong: where, and the status there. */
enum wrong { WRONG_NOTHING, WRONG_PAGE, WRONG_START, WRONG_ALLOC, WRONG_FREE, WRONG_CALL };
#define WRONG(where, status) ((uint64_t)(where) << 32 | (uint32_t)(status))

static const struct member_plan {
    enum role role;
    unsigned peer; /* its number */
} plans[] = {
    /* The victims. */
    {ROLE_SERVER, 0},
    {ROLE_CALLER, 3},
#define VICTIMS 2u
    /* The others. */
    {ROLE_CALLER, 0},
    {ROLE_SERVER, 0},
    {ROLE_NOTIFIER, 0},
    {ROLE_IDLER, 0},
    {ROLE_IDLER, 0},
    {ROLE_READER, 0},
};
#define MEMBERS COUNT(plans)
#define READER (MEMBERS - 1)

/* ---- A victim. ---- */

#define VICTIM_BYTES 1024u
#define VICTIM(role, floats, inbox, bits)                                                                              \
    ((uint64_t)(role) | (uint64_t)(floats) << 8 | (uint64_t)(inbox) << 16 | (uint64_t)(bits) << 32)

/* All of a victim's code, which is copied: it refers to nothing. A server answers each call with what came, a block
 * too. A caller makes calls with words and with a block, and notifies; it ends when its peer has. */
__attribute__((noinline, aligned(VICTIM_BYTES))) _Noreturn static void victim(uint64_t what) {
    uint64_t r[OS2_R_COUNT], block = 0;
    bool server = (what & 0xff) == ROLE_SERVER, floats = what >> 8 & 1;
    uint64_t inbox = what >> 16 & 0xff, bits = what >> 32;
    for (unsigned i = 0; i < OS2_R_COUNT; i++)
        r[i] = 0;
    for (unsigned n = 0;; n++) {
        if (floats && n % 4)
            arch_stub_fp_touch();
        if (server && n && (int64_t)r[OS2_R_CONTROL] > 0 && r[OS2_R_CONTROL] & OS2_I_MESSAGE && r[OS2_R_CALLER]) {
            r[OS2_R_CONTROL] =
                OS2_SYS_reply_receive | OS2_ACCEPT(0) | (r[OS2_R_CONTROL] & OS2_I_BLOCK ? OS2_F_BLOCK : 0);
        } else if (server) {
            r[OS2_R_CONTROL] = OS2_SYS_receive | OS2_ACCEPT(0);
        } else if (n % 8 == 0 && !block) {
            r[OS2_R_CONTROL] = OS2_SYS_block_alloc;
            r[OS2_R_LABEL] = 0;
        } else if (n % 8 == 1) {
            r[OS2_R_CONTROL] = OS2_SYS_notify | bits << OS2_HANDLE_SHIFT;
            r[OS2_R_LABEL] = 1;
        } else {
            r[OS2_R_CONTROL] = OS2_SYS_call | inbox << OS2_HANDLE_SHIFT | (n % 2 ? 0 : OS2_F_BLOCK | OS2_ACCEPT(0));
            r[OS2_R_BLOCK] = block;
        }
        uint64_t call = r[OS2_R_CONTROL] & OS2_NUMBER_MASK;
        arch_syscall(r);
        if (server && (int64_t)r[OS2_R_CONTROL] == OS2_E_NOT_WAITING)
            continue; /* the client has ended, and its block stayed here */
        if ((int64_t)r[OS2_R_CONTROL] < 0)
            break;
        if (call == OS2_SYS_block_alloc)
            block = r[OS2_R_LABEL];
        else if (!server && r[OS2_R_CONTROL] & OS2_I_BLOCK)
            block = r[OS2_R_BLOCK];
    }
    int64_t status = (int64_t)r[OS2_R_CONTROL];
    for (;;) {
        r[OS2_R_CONTROL] = OS2_SYS_exit;
        r[OS2_R_LABEL] = status == OS2_E_DIED && !server ? 0 : WRONG(WRONG_CALL, status);
        arch_syscall(r);
    }
}

/* ---- A member. ---- */

static uint64_t random_state, *own_page, own_word;
static void *block;
static unsigned inbox, bits; /* of the peer; 0: none */
static bool floats;

static uint64_t below(uint64_t limit) { /* splitmix64 */
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % limit;
}

/* The status of a call: one of those in the list, or good. False: it was in the list. */
#define EXPECT(call, status, ...) (pretend(), expect(call, status, (const int[]){__VA_ARGS__ __VA_OPT__(, ) 0}))
static void pretend(void) {
    if (own_page)
        arch_pretend(own_word);
}
static bool expect(unsigned call, int status, const int *allowed) {
    for (; status < 0 && *allowed; allowed++)
        if (status == *allowed)
            return false;
    if (status < 0)
        os2_exit(WRONG(WRONG_CALL + call, status));
    return true;
}

static void look_at_page(void) {
    for (unsigned i = 0; own_page && i < WORDS; i++)
        if (own_page[i] != own_word)
            os2_exit(WRONG(WRONG_PAGE, i));
}

/* Handles to who has the peer's place now. */
static void find_peer(unsigned supervisor) {
    struct os2_message m = {0};
    if (inbox)
        os2_handle_close(inbox);
    if (bits)
        os2_handle_close(bits);
    if (os2_call(supervisor, OS2_F_ACCEPT_HANDLE, &m) < 0 || !(m.control & OS2_I_HANDLE))
        os2_exit(WRONG(WRONG_START, 0));
    inbox = (unsigned)m.w[2];
    if (os2_handle_mint(inbox, OS2_HANDLE_NOTIFY, UINT64_MAX, OS2_RIGHTS_ALL, &bits) < 0)
        os2_exit(WRONG(WRONG_START, 1));
}

static void free_block(void) {
    int status = block ? os2_block_free(block) : OS2_OK;
    if (status < 0 && status != OS2_E_OWNER) /* the peer took it and was killed */
        os2_exit(WRONG(WRONG_FREE, status));
    block = NULL;
}

static void get_block(void) {
    int status = block ? OS2_OK : os2_block_alloc(0, &block);
    if (status < 0)
        os2_exit(WRONG(WRONG_ALLOC, status));
}

/* A call, with a block or without. False: the peer has ended. */
static bool make_call(bool with_block) {
    struct os2_message m = {.label = 1, .w = {1, 2, 3, 4, 5}};
    if (!with_block)
        return EXPECT(OS2_SYS_call, os2_call(inbox, 0, &m), OS2_E_DIED);
    get_block();
    m.w[3] = (uint64_t)(uintptr_t)block;
    if (!EXPECT(OS2_SYS_call, os2_call(inbox, OS2_F_BLOCK | OS2_ACCEPT(0), &m), OS2_E_DIED)) {
        free_block();
        return false;
    }
    block = m.control & OS2_I_BLOCK ? os2_message_block(&m) : NULL;
    return true;
}

static void poll(void) {
    struct os2_message m = {0};
    EXPECT(OS2_SYS_receive, os2_receive(OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
}

static void one_of_the_others(void) {
    switch (below(6)) {
    case 0:
        os2_tokens();
        break;
    case 1:
        poll();
        break;
    case 2:
        get_block();
        break;
    case 3:
        free_block();
        break;
    default:
        os2_yield();
    }
}

/* Some processes use floating point, but not between any two calls. */
static void compute(void) {
    if (floats && below(4))
        arch_stub_fp_touch();
}

/* Makes calls, or only sets bits. */
static void be_caller(unsigned supervisor, bool calls) {
    for (;;) {
        find_peer(supervisor);
        for (bool lives = true; lives;) {
            look_at_page();
            for (unsigned i = 0; i < 16 && lives; i++) {
                struct os2_message m = {.label = i};
                unsigned what = (unsigned)below(16);
                compute();
                if (calls && what < 6)
                    lives = make_call(false);
                else if (calls && what < 10)
                    lives = make_call(true);
                else if (calls && what < 11)
                    lives = EXPECT(OS2_SYS_send, os2_send(inbox, 0, &m), OS2_E_DIED);
                else if (what < 14)
                    lives = EXPECT(OS2_SYS_notify, os2_notify(bits, 1 + below(7)), OS2_E_DIED);
                else
                    one_of_the_others();
            }
        }
    }
}

static void be_server(void) {
    struct os2_message m = {0};
    uint64_t flags = 0, give = OS2_F_BLOCK | OS2_ACCEPT(0);
    for (unsigned n = 0;; n++) {
        struct os2_message refused = m;
        if (m.caller && !flags && below(8) == 0) { /* a block that the call does not accept: its client waits on */
            get_block();
            refused.w[3] = (uint64_t)(uintptr_t)block;
            EXPECT(OS2_SYS_reply_receive, os2_reply_receive(give, &refused), OS2_E_REFUSED, OS2_E_NOT_WAITING);
            continue;
        } else if (m.caller && flags) {
            if (!EXPECT(OS2_SYS_reply_receive, os2_reply_receive(flags | OS2_ACCEPT(0), &m), OS2_E_NOT_WAITING))
                m = (struct os2_message){0}; /* its client has ended, and the block stayed here */
        } else if (m.caller)
            EXPECT(OS2_SYS_reply_receive, os2_reply_receive(OS2_ACCEPT(0), &m));
        else
            EXPECT(OS2_SYS_receive, os2_receive(OS2_ACCEPT(0), &m));
        void *came = m.control & OS2_I_BLOCK ? os2_message_block(&m) : NULL;
        if (block != came)
            free_block(); /* where the client had ended it stayed here */
        block = came;
        flags = came ? OS2_F_BLOCK : 0;
        if (!(m.control & OS2_I_MESSAGE))
            m.caller = 0;
        if (n % 64 == 0)
            look_at_page();
        compute();
    }
}

/* Works for a while and sleeps for some milliseconds: so cores idle now and then, and look for work, and now and then
 * all are busy, and queues are long. */
static void be_idler(void) {
    void *blocks[4] = {NULL};
    for (unsigned n = 0;; n++, compute()) {
        void **one = &blocks[below(COUNT(blocks))];
        if (n % 2048 == 0) {
            look_at_page();
            EXPECT(OS2_SYS_receive, os2_sleep_ms(below(12)));
        }
        switch (below(8)) {
        case 0:
            if (!*one)
                EXPECT(OS2_SYS_block_alloc, os2_block_alloc(0, one));
            break;
        case 1:
            if (*one)
                EXPECT(OS2_SYS_block_free, os2_block_free(*one));
            *one = NULL;
            break;
        case 2: {
            void *large; /* which goes the long way from there */
            EXPECT(OS2_SYS_block_alloc, os2_block_alloc(OS2_ORDER_MAX, &large), OS2_E_QUOTA, OS2_E_MEMORY);
            break;
        }
        default:
            one_of_the_others();
        }
    }
}

/* Ends when a line was typed. */
static void be_reader(void) {
    char text[OS2_CONSOLE_TEXT];
    int status = os2_console_read(os2_start_handle("console.in"), 0, text);
    os2_exit(status > 0 ? WRONG_NOTHING : WRONG(WRONG_START, status));
}

static int member_main(unsigned number, uint64_t page) {
    unsigned supervisor = os2_start_handle("supervisor");

    random_state = os2_now_ns();
    floats = below(3) == 0;
    if (page) {
        own_page = (uint64_t *)(uintptr_t)page;
        own_word = own_page[0];
    }
    switch (plans[number].role) {
    case ROLE_SERVER:
        be_server();
        break;
    case ROLE_CALLER:
        be_caller(supervisor, true);
        break;
    case ROLE_NOTIFIER:
        be_caller(supervisor, false);
        break;
    case ROLE_IDLER:
        be_idler();
        break;
    default:
        be_reader();
    }
    return 0;
}

/* ---- The supervisor. ---- */

static void *image;
static uint64_t image_size;
static bool good = true;
static struct member {
    struct os2_child child;
    bool runs, killed;
    uint64_t caller; /* asks for a handle to its peer, which it has not got yet; 0: does not */
} members[MEMBERS];
static uint64_t ended[MEMBERS];

static int start(struct os2_child *child, unsigned number, uint64_t page) {
    char text[2][24];
    const char *argv[] = {"stalltest", text[0], text[1]};
    format(text[0], sizeof(text[0]), "%u", number);
    format(text[1], sizeof(text[1]), "0x%lx", page);
    return os2_child_start(child, COUNT(argv), argv);
}

/* A page of the child's, each word of which is the kernel's address of its middle. */
static int give_page(struct os2_child *child, uint64_t *ret_page) {
    void *page;
    int status = os2_block_alloc(0, &page);
    if (status < 0)
        return status;
    *ret_page = (uint64_t)(uintptr_t)page;
    for (unsigned i = 0; i < WORDS; i++)
        ((uint64_t *)page)[i] = *ret_page - OS2_EXCHANGE_BASE + ARCH_KERNEL_ADDRESS + OS2_PAGE_SIZE / 2;
    status = os2_process_give(child->control, page, 0, OS2_PROT_READ | OS2_PROT_WRITE);
    if (status < 0)
        os2_block_free(page);
    return status;
}

/* A block of the child's, which begins with these bytes. */
static int give(struct os2_child *child, uint64_t address, unsigned protection, const void *bytes, size_t size) {
    void *memory;
    int status = os2_block_alloc(0, &memory);
    if (status < 0)
        return status;
    memcpy(memory, bytes, size);
    status = os2_process_give(child->control, memory, address, protection);
    if (status < 0)
        os2_block_free(memory);
    return status;
}

/* Some have a thread pointer: on x86_64 it is one more thing that a switch may have to change. */
static int start_victim(unsigned control, uint64_t what) {
    uint64_t r[OS2_R_COUNT] = {0};
    r[OS2_R_CONTROL] = OS2_SYS_process_start | (uint64_t)control << OS2_HANDLE_SHIFT;
    r[OS2_R_LABEL] = OS2_PROGRAM_BASE;
    r[OS2_R_W0] = OS2_STACK_END;
    r[OS2_R_W1] = what;
    r[OS2_R_W3] = below(4) ? 0 : OS2_STACK_END - OS2_PAGE_SIZE;
    arch_syscall(r);
    return (int64_t)r[OS2_R_CONTROL] < 0 ? (int)r[OS2_R_CONTROL] : OS2_OK;
}

static int make_victim(unsigned number) {
    struct os2_child *child = &members[number].child;
    const struct member *peer = &members[plans[number].peer];
    const struct os2_process_plan plan = {.quota = OS2_CHILD_OVERHEAD + 40,
                                          .quantum = 5 + below(20),
                                          .watchdog_ms = 600000,
                                          .end_bits = UINT64_C(1) << number,
                                          .name = "victim"};
    unsigned to[2] = {0, 0};
    int status = os2_process_create(&plan, &child->control, &child->id);
    if (status >= 0)
        status = give(child, OS2_PROGRAM_BASE, OS2_PROT_READ | OS2_PROT_EXEC, (const void *)victim, VICTIM_BYTES);
    if (status >= 0)
        status = give(child, OS2_STACK_END - OS2_PAGE_SIZE, OS2_PROT_READ | OS2_PROT_WRITE, NULL, 0);
    for (unsigned i = 0; i < 2 && status >= 0 && plans[number].role == ROLE_CALLER; i++) {
        unsigned handle;
        status = os2_handle_mint(peer->child.control, i ? OS2_HANDLE_NOTIFY : OS2_HANDLE_INBOX, UINT64_MAX,
                                 OS2_RIGHTS_ALL, &handle);
        if (status < 0)
            break;
        status = os2_process_grant(child->control, handle, OS2_RIGHTS_ALL, 0, &to[i]);
        os2_handle_close(handle);
    }
    if (status >= 0)
        status = start_victim(child->control, VICTIM(plans[number].role, below(3) == 0, to[0], to[1]));
    return status;
}

static int make_member(unsigned number) {
    struct member *member = &members[number];
    struct os2_child_plan plan = {.image = image,
                                  .image_size = image_size,
                                  .process = {.quantum = 3 + 3 * (number % 4),
                                              .watchdog_ms = 600000,
                                              .end_bits = UINT64_C(1) << number,
                                              .name = "stalltest"}};
    unsigned handle;
    uint64_t page = 0;
    int status = os2_child_least(image, image_size, 0, &plan.process.quota);
    plan.process.quota += 16;
    if (status >= 0)
        status = os2_child_create(&plan, &member->child, NULL);
    if (status >= 0)
        status = os2_handle_mint(0, OS2_HANDLE_INBOX, number, OS2_RIGHTS_ALL, &handle);
    if (status >= 0) {
        status = os2_child_grant(&member->child, "supervisor", handle, OS2_RIGHT_SEND);
        os2_handle_close(handle);
    }
    if (status >= 0 && number == READER)
        status = os2_child_grant(&member->child, "console.in", os2_start_handle("console.in"), OS2_RIGHT_SEND);
    if (status >= 0 && number != READER)
        status = give_page(&member->child, &page);
    return status < 0 ? status : start(&member->child, number, page);
}

static bool make(unsigned number) {
    struct member *member = &members[number];
    int status = number < VICTIMS ? make_victim(number) : make_member(number);
    if (status < 0) {
        os2_printf("# member %u cannot be started: %s\n", number, os2_status_text(status));
        return good = false;
    }
    member->runs = true;
    member->killed = false;
    return true;
}

/* Who waits for a handle to a member that runs gets it. */
static void answer_callers(void) {
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &members[i], *peer = &members[plans[i].peer];
        struct os2_message m = {.caller = member->caller};
        unsigned handle;
        if (!member->caller || !peer->runs || peer->killed)
            continue;
        member->caller = 0;
        int status = os2_handle_mint(peer->child.control, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &handle);
        if (status >= 0) {
            m.w[2] = handle | (uint64_t)OS2_RIGHTS_ALL << 16;
            status = os2_reply(OS2_F_HANDLE, &m);
            os2_handle_close(handle);
        }
        if (status < 0 && status != OS2_E_NOT_WAITING) {
            os2_printf("# a handle for member %u: %s\n", i, os2_status_text(status));
            good = false;
        }
    }
}

/* Takes notice of those that have ended; the reader ends once there was input. */
static void take_ended(uint64_t which) {
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *member = &members[i];
        struct os2_process_end end;
        if (!(which >> i & 1) || !member->runs || os2_process_end(member->child.control, 0, &end) < 0)
            continue;
        bool may_exit = i == READER || i < VICTIMS;
        if (end.reason != OS2_END_KILLED && !(may_exit && end.reason == OS2_END_EXIT && end.value == 0)) {
            char how[160];
            os2_child_describe(&member->child, &end, how, sizeof(how));
            os2_printf("# member %u ended: %s%s\n", i, how,
                       end.reason == OS2_END_EXIT && end.value >> 32 == WRONG_PAGE
                           ? ", the kernel ran on a struct core of a program's"
                           : "");
            if (end.reason == OS2_END_EXIT)
                os2_printf("# that is: at %lu, status %d\n", end.value >> 32, (int)(uint32_t)end.value);
            good = false;
        }
        os2_child_drop(&member->child);
        member->runs = false;
        member->caller = 0;
        ended[i]++;
    }
}

static void kill(unsigned number) {
    struct member *member = &members[number];
    if (!member->runs || member->killed)
        return;
    member->killed = true;
    int status = os2_process_kill(member->child.control);
    if (status < 0 && status != OS2_E_DIED) {
        os2_printf("# member %u cannot be killed: %s\n", number, os2_status_text(status));
        good = false;
    }
}

/* What has come, or comes in the next moments. */
static void listen(uint64_t us) {
    struct os2_message m = {0};
    uint64_t rate, now = os2_clock(&rate);
    m.w[4] = us ? now + os2_ns_to_ticks(us * 1000, rate) : 0;
    while (os2_receive(OS2_F_DEADLINE, &m) >= 0) {
        if (m.control & OS2_I_MESSAGE && m.caller && m.badge < MEMBERS)
            members[m.badge].caller = m.caller;
        if (m.control & OS2_I_BITS)
            take_ended(m.bits);
        answer_callers();
        m = (struct os2_message){0};
    }
}

static void run(void) {
    unsigned next = 0, rounds = 0;
    for (bool more = true; more && good;) {
        for (unsigned i = MEMBERS; i-- > 0;) /* a victim has its peer's handles from its start */
            if (!members[i].runs && (i != READER || !ended[READER]) && !make(i))
                return;
        more = !ended[READER];
        answer_callers();
        listen(below(200));
        kill(next);
        if (++next == VICTIMS) {
            next = 0;
            if (++rounds % 64 == 0)
                kill(VICTIMS + rounds / 64 % (READER - VICTIMS));
        }
    }
}

static bool finish(void) {
    for (unsigned i = 0; i < MEMBERS; i++)
        kill(i);
    for (unsigned n = 0; n < 10000; n++) {
        bool quiet = true;
        for (unsigned i = 0; i < MEMBERS; i++)
            quiet = quiet && !members[i].runs;
        if (quiet)
            return true;
        listen(1000);
    }
    return false;
}

/* What children have is in neither; what this process's own tables take does not count. */
static uint64_t pages_in_hand(void) {
    struct os2_process_facts facts = {0};
    os2_process_facts(0, 0, &facts);
    return facts.quota - facts.pages;
}

int main(int argc, char **argv) {
    uint64_t number, page, before, sum = 0;

    if (argc == 3 && os2_string_number(argv[1], &number) && os2_string_number(argv[2], &page))
        return member_main((unsigned)number, page);
    os2_printf("1..3\n");
    os2_devices_wait(os2_start_handle("names")); /* they get pages as they start */
    if (os2_file_load("/boot/stalltest", &image, &image_size) < 0)
        return 1;
    /* A line this long makes what output needs; behind it the count is of the others alone. */
    os2_printf("# %u others call, answer and notify each other, and are killed\n", (unsigned)MEMBERS);
    before = pages_in_hand();
    run();
    bool fine = good;
    os2_printf("%sok 1 - nobody saw what the manual does not promise\n", fine ? "" : "not ");
    bool all = finish();
    for (unsigned i = 0; i < MEMBERS; i++)
        sum += ended[i];
    os2_printf("%sok 2 - all %lu have ended\n", all && good ? "" : "not ", sum);
    bool back = pages_in_hand() == before;
    os2_printf("%sok 3 - every page is back\n", back ? "" : "not ");
    return !(good && all && back);
}
