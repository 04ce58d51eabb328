/* SPDX-License-Identifier: MIT */
/*
 * The port contract: everything a port provides, and the few upcalls it may make.
 *
 * Three ports implement it: arch/riscv64, arch/x86_64 and tests/host (the kernel's sources as a host program). The
 * inline half and the constants are in each port's port.h, found through the include path; the out-of-line half is in
 * files of the same names in each port. Nothing outside arch/ knows which port it is built for.
 *
 * The model that a port may rely on:
 *   - A process stops only at a system call, a fault, or an interrupt that returns to the same process. The registers
 *     that the C calling convention lets a call clobber are never kept over a system call.
 *   - The kernel runs with interrupts off, on one stack per core, and never blocks. Interrupts are taken in user mode
 *     and in arch_idle().
 *   - Page tables of a process are edited by the one core that holds the process. No core ever asks another to fence.
 *   - The kernel's half of every address space is the same and does not change after boot.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2/abi.h"

#define CORES_MAX 8
#define CACHE_LINE 64

struct core; /* its first member is the port's struct arch_core */

/*
 * Light calls: system calls that need no more than four registers in and two out, and after which the same process goes
 * on. An entry path may call their handlers straight from the program's registers, with nothing of the process saved
 * but what C clobbers and the program must have back (its sp and pc):
 *
 *     tokens - 1 > 0                 else: the long way, which ends the turn
 *     core->tokens -= 1, and the kernel's stack
 *     r = light_handlers[number](CONTROL, LABEL, W0, W1)    NULL: not a light call. Flags are the handler's to refuse
 *     r.status <= 0                  to the program: CONTROL = r.status, LABEL = r.label, all other slots 0
 *     r.status == LIGHT_LONG         nothing was done: the token is given back, CONTROL to W1 are in the first four
 *                                    slots of the process's reg[], and the long way is taken with them
 *
 * Clobbered registers must not come back with what C left in them. A port that has no such path takes the long way
 * always; it does the same.
 */
#define LIGHT_LONG 1
struct light {
    int64_t status;
    uint64_t label;
};
typedef struct light light_handler(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1);
extern light_handler *const light_handlers[OS2_SYS_COUNT];

/*
 * The inline half, from the port's port.h:
 *
 * struct arch_context           the registers of a stopped process beside the ten of the ABI: pc, sp, the callee-saved
 *                               ones, the constants, and floating-point state
 * struct arch_core              what the port keeps in each struct core, first in it
 * struct arch_space             what the port keeps in each struct space (ASID, owed fence)
 *
 * ARCH_NAME                     "riscv64"
 * ARCH_TOP_LEVEL                level of the root table; level 0 holds 4 KiB leaves, 9 bits a level
 * ARCH_USER_END                 first address past the user half
 *
 * void *arch_phys_to_virt(uint64_t pa)          direct map of RAM; valid for RAM that is not reserved
 * uint64_t arch_virt_to_phys(const void *va)    its inverse
 *
 * uint64_t arch_pte_leaf(pa, prot, level, device)   a user leaf, accessed and dirty preset; W^X is the caller's duty
 * uint64_t arch_pte_table(pa)                        a pointer to the next table
 * unsigned arch_leaf_top(void)                       the highest level that has leaves: 2 for 1 GiB, 1 for 2 MiB
 * bool arch_pte_valid(pte), arch_pte_is_leaf(pte, level)
 * uint64_t arch_pte_address(pte)
 * unsigned arch_pte_prot(pte)
 *
 * void arch_fence_plain(space, va), arch_fence_plain_space(space)   arch_fence_address() and _space() for the current
 *                                               space of this core, where arch_space_plain() has said so
 *
 * void arch_space_switch(core, space)   arch_space_activate() where arch_space_plain() has said so: the root alone.
 *                               The process that was current is parked, and arch_enter() follows
 *
 * arch_load_relaxed(p)          *p as one access, of any width and in any order
 * arch_store_relaxed(p, v)      *p = v likewise
 * arch_store_release(p, v)      *p = v after everything before it            (64 bits; pairs with an acquire load)
 * arch_load_acquire(p)          *p before everything after it
 * arch_fence_release()          loads and stores before it come before stores after it
 * arch_fence()                  full fence between loads and stores of this core
 * bool arch_cas_full(p, expected, desired)   compare-exchange of 64 bits which, won or lost, is also a full fence
 *                               between what is before and after it; its own store may come after later loads
 * uint64_t arch_swap_full(p, v)              exchange of 64 bits, also a full fence
 * arch_relax()                  a hint in a spin loop
 *
 * struct core *arch_core(void)  this core
 * unsigned arch_core_index()    its index in cores[]
 * uint64_t arch_clock(void)     ticks since some moment before boot, the same on all cores
 *
 * bool arch_space_plain(core, space)   may this core switch from its current space to that one with nothing but the
 *                               entry path's own steps: no fence, no floating-point work? False is always safe
 * void arch_space_spoil(space)  it is plain on no core from here on, until it is activated
 * void arch_context_argument(uint64_t *reg, uint64_t value)   a fresh process's first argument, among the ABI's ten
 * void arch_context_restart(struct arch_context *)   the stopped process makes the same system call again
 */
#include "port.h"

/* How many entries of a root are the user half's. */
#define ARCH_USER_ENTRIES ((unsigned)((ARCH_USER_END - 1) >> (OS2_PAGE_SHIFT + 9 * ARCH_TOP_LEVEL)) + 1)

/* ---- What the port learns of the machine before kernel_main(): all physical, byte-granular. ---- */

#define BOOT_RANGES 64
#define BOOT_ADDRESS_END (UINT64_C(1) << 56) /* no machine has memory from here on */
struct boot_range {
    uint64_t base, size;
};
struct boot_info {
    struct boot_range ram[BOOT_RANGES + 1]; /* sorted, merged: boot_ram(). The last place is room to insert */
    struct boot_range
        reserved[BOOT_RANGES + 1]; /* firmware's, the kernel's image: never touched, not in the direct map;
                                                    sorted, merged: boot_reserve() */
    struct boot_range kept[4];     /* RAM in use until init has it, or for good: the archive, the tree,
                                                    tables; a part that is not RAM is not the heap's */
    unsigned ram_count, reserved_count, kept_count;
    uint64_t ram_left_out;     /* bytes for which there was no room in ram[] */
    unsigned reserved_joined;  /* so many times was there none in reserved[] */
    struct boot_range archive; /* size 0: none */
    struct boot_range tree;    /* size 0: none */
    struct boot_range pci;     /* configuration space, which may be claimed where firmware reserves it; size 0: none */
    char arguments[sizeof(((struct os2_boot *)0)->arguments)];
    uint64_t clock_hz;
    unsigned cpu_count;         /* usable cores, at most CORES_MAX; cpu_id[0] is the boot core */
    uint64_t cpu_id[CORES_MAX]; /* firmware's numbers */
    unsigned irq_count;         /* interrupt numbers are 1 .. irq_count - 1 */
};

/* Questions about it, which both sides may ask: arch/boot_info.c. */

/* What firmware says is RAM, and what is to be kept out of, in any order and in pieces that touch or overlap: the lists
 * stay sorted and merged. What does not fit any more is counted, and said by boot_describe(). What is kept should be
 * known before memory is reserved: ranges are never joined over it. */
void boot_ram(struct boot_info *info, uint64_t base, uint64_t size);
void boot_reserve(struct boot_info *info, uint64_t base, uint64_t size);

/* The port reaches no RAM from `limit` on: it is reserved, and a line says so. After all boot_ram(). */
void boot_limit(struct boot_info *info, uint64_t limit);

/* The RAM and what is not used of it, in the log. */
void boot_describe(const struct boot_info *info);

/* Is every byte of `range` in one of these? */
bool boot_holds(const struct boot_range *list, unsigned count, const struct boot_range *range);

/* Is it one of the boot arguments, as a whole word? */
bool boot_argument(const struct boot_info *info, const char *word);

/* 0 where [base, end) meets no page of these ranges; else the end of the first that it does meet. */
uint64_t boot_meets(const struct boot_range *list, unsigned count, uint64_t base, uint64_t end);

/* `size` bytes of RAM below `limit` that nothing uses, page-aligned; 0 if there are none. */
uint64_t boot_room(const struct boot_info *info, uint64_t size, uint64_t limit);

/* From address 0 on (*range cleared), each next range of pages that are RAM and not reserved. False: no more. */
bool boot_ram_next(const struct boot_info *info, struct boot_range *range);

/* ---- The out-of-line half. ---- */

/* For a port whose kernel half is that of one root, which will not change from here on: arch_space_init() and
 * arch_space_fini() are in arch/root.c. */
void root_keep(const uint64_t *root);

/* Map the kernel for good: RAM that is not reserved, writable and not executable, with the largest leaves; the image
 * by segments. Called once on the boot core, with the heap up; takes tables from kernel_table_alloc(). */
void arch_kernel_map(const struct boot_info *info);

/* Of a core's kernel stack, in pages: 16 KiB. Who needs more is reported: nothing is mapped below it. */
#define KERNEL_STACK_ORDER 2
#define KERNEL_STACK_SIZE (OS2_PAGE_SIZE << KERNEL_STACK_ORDER)

/* Fill in the port's part of a cleared struct core: `index` in cores[], the state word of a process that it runs (core/
 * state.h; the low 44 bits are the port's to use), the firmware's number, the kernel's stack: KERNEL_STACK_SIZE bytes
 * of the direct map, which end at `stack_top`. The port may use them at another address, with nothing mapped below. */
void arch_core_make(struct core *core, unsigned index, uint64_t run_word, uint64_t cpu, uint64_t stack_top);

/* Let this core take system calls and interrupts. Called on each core once, after arch_kernel_map(). */
void arch_core_init(struct core *core);

/* Start core `index` at core_main(); its struct core is ready. Returns false when the firmware refuses. */
bool arch_core_start(struct core *core);

/* A new address space with this root: write the kernel's half into the cleared table; and make that half 0 again. */
void arch_space_init(struct arch_space *space, uint64_t *root);
void arch_space_fini(uint64_t *root);

/* Make `space` the current address space of this core, settling owed fences; NULL: the kernel's own root. */
void arch_space_activate(struct core *core, struct arch_space *space);

/* Is `space` the current address space of this core, and of no other since? A core's tables stay in use for a moment
 * after their process was published: another core may run it meanwhile, and let it go again. What it loses then must be
 * owed to that core, though the root is the one that is loaded here. */
bool arch_space_current(const struct arch_space *space);

/* `space` has lost the leaf at `va`, or (fence_space) many leaves or a table. Where it is current, this core is fenced
 * now; else the space owes the fence until it is activated. Never concerns another core. */
void arch_fence_address(struct arch_space *space, uint64_t va);
void arch_fence_space(struct arch_space *space);

/* Code has arrived in memory that this core may execute. */
void arch_fence_code(void);

/* Put a fresh process's context, which is all 0: where it starts, with what. */
void arch_context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t gp, uint64_t tp);

/* Floating point: before the current process stops being that, and before it may run elsewhere, its live state goes to
 * its context. */
void arch_context_park(struct arch_context *context, struct arch_space *space);

/* Go to user mode as core->current, whose context this is and whose space is active. */
_Noreturn void arch_enter(struct core *core, struct arch_context *context, struct arch_space *space);

/* Wait for an interrupt, and take it. May return at any time. Entered and left with interrupts off. */
void arch_idle(struct core *core);

/* The same without the wait: take those that are pending. */
void arch_idle_look(struct core *core);

/* One timer per core, one shot, an absolute time; UINT64_MAX: none. */
void arch_timer_set(struct core *core, uint64_t when);

/* Make `core` enter ipi_arrived() soon. Spurious ones are harmless. */
void arch_ipi_send(struct core *core);

/* Interrupt sources. Take: one that is pending for this core, which is masked now, and with which the controller is
 * done; 0: none, or none that is to be passed on. Unmask lets the next one in: it comes to this core, and to no other.
 * One lock is held over all three. */
unsigned arch_irq_take(struct core *core);
void arch_irq_unmask(unsigned irq);
void arch_irq_mask(unsigned irq);

/* Message-signalled interrupts: the port's one of number `index` is the source *ret_irq, an edge, and is a write of
 * *ret_data to *ret_address. Which device makes that write the kernel does not know: so this one comes to the core that
 * made this call, whichever lets it in. False: there are not so many. */
bool arch_irq_message(unsigned index, unsigned *ret_irq, uint64_t *ret_address, uint32_t *ret_data);

/* Hold: from here on this core takes no interrupt in user mode but its timer's, until it is called with false. What
 * comes meanwhile is pending then. */
void arch_interrupts_hold(struct core *core, bool hold);

/* I/O ports: may these be claimed? Not where there are none, and not those that are the kernel's. */
bool arch_ports_valid(uint64_t first, uint64_t count);

/* Open a range of ports to the current process of this core, whose context this is. False: it has too many ranges. */
bool arch_ports_grant(struct core *core, struct arch_context *context, uint64_t first, uint64_t count);

/* Whether [base, base + size) may be claimed as a device's registers: not RAM is the caller's check; not an interrupt
 * controller, a core's timer or firmware's is the port's. */
bool arch_device_allowed(uint64_t base, uint64_t size);

/* The firmware's console: boot and panic only. */
void arch_console_write(const char *text, size_t length);

/* The same for a process that may, where firmware serves it as long as the machine runs; else false, and -2. Send a
 * byte as it is; this may wait until the one before has left. Take a byte that was received; -1: none, now. */
bool arch_console_put(uint8_t byte);
int arch_console_get(void);

/* Power off, telling `code` to whoever started the machine, where it can; or restart. */
_Noreturn void arch_power_off(unsigned code);
_Noreturn void arch_restart(void);
_Noreturn void arch_halt(void);

/* Every other core stops for good: at once, whatever it does, where the machine can interrupt a core that has its
 * interrupts off; else as soon as it lets interrupts in, by ipi_arrived(), which looks at machine.panicked. Does not
 * wait for them. Called once, by panic(), maybe before arch_core_init(). */
void arch_stop_others(void);

/* ---- Upcalls: what a port may call. ---- */

/* Log one line: "[seconds.micros coreN] text". */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A kernel bug ends the machine with one clear line; a program's misuse never comes here. Stop all other cores, print
 * "kernel panic: ..." through the firmware's console and halt this core, or restart the machine (os2.panic=restart).
 * The first core to come speaks; one that comes later says nothing. A panic of the first core within its panic is
 * printed too. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            panic("%s:%d: %s", __FILE__, __LINE__, #condition);                                                        \
    } while (0)

/* The part of the image that only boot needs, whole pages, mapped beside other RAM from arch_kernel_map() on; and the
 * end of boot: it is no longer mapped where it was linked. Both are called by code that stays. */
struct boot_range arch_boot_part(void);
void arch_boot_over(void);

_Noreturn void kernel_main(struct boot_info *info); /* boot core, on the boot map */
_Noreturn void core_main(struct core *core);        /* every other core, on its own stack, kernel root active */
uint64_t kernel_table_alloc(void);                  /* physical address of a cleared page; panics when there is none */
struct arch_context *core_context(struct core *core); /* of the current process */
struct arch_space *core_space(struct core *core);     /* of the current process */
/* A fault in user mode that the process does not survive; does not return. */
_Noreturn void fault_arrived(struct core *core, unsigned fault, uint64_t pc, uint64_t address);
/* Does the current process's table allow this access, so that the fault came from a translation that was cached while
 * its entry was not valid? Then a fence settles it; where one has been tried, the answer is no. */
bool fault_spurious(struct core *core, unsigned fault, uint64_t address);
/* Interrupts: one is pending at least, and those that are taken in this entry lie between enter and leave. Of several
 * that are pending the port takes the next only while there is not enough. Leave, in user mode (else in the idle loop),
 * returns when the same process goes on, with its registers untouched. The context's pc must have been set before. */
void interrupt_enter(struct core *core);
bool interrupt_enough(struct core *core);
void interrupt_leave(struct core *core, bool user);
void irq_arrived(struct core *core); /* takes what sources are pending */
void timer_arrived(struct core *core, bool user);
void ipi_arrived(struct core *core);

struct process; /* its first member is the ABI's ten registers */
struct slot;

/* core->current made a system call, and its registers are in it. Returns where it goes on at once. */
void syscall_dispatch(struct core *core);

/* The short ways of messages, in C: ipc/short.c. An entry path that does not have them in assembly may ask this before
 * syscall_dispatch(), with the same in the registers. True: the call is made, and core->current, maybe another process,
 * goes on by arch_enter(). False: nothing has changed. Does not return where the process waits. */
bool short_way(struct core *core);

/* What follows is for the short ways of an entry path. */

/* The process that was taken from the queue to be switched to (its word says RUN|c) is doomed. */
_Noreturn void loop_doomed(struct core *core, struct slot *slot);

/* A reply_receive has published the current process as `word` (a plain receive) and answered `caller` (NULL: it no
 * longer waited), whose registers hold the answer; then it saw that a message or bits may have come meanwhile, or that
 * there is no caller to go on with. */
_Noreturn void message_looked_at_late(struct core *core, uint64_t word, struct process *caller);

/* A message with a block: `x` is current, this core has claimed `into`, which waits for the message (call) or answer
 * (reply) that x's registers hold. The block at `va` moves to it: returns the CONTROL of its result, and the block's
 * address is as it was; 0: it is not that simple, and nothing has changed. */
uint64_t message_pass(struct process *x, struct process *into, uint64_t va);

/* What follows a message_pass() that did nothing: the claim is undone, in the way that suits a receiver or a caller. */
void message_pass_undo_call(struct core *core, struct process *into);
void message_pass_undo_reply(struct core *core, struct process *into, uint64_t caller);

#endif
