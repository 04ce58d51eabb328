/* SPDX-License-Identifier: MIT */
/*
 * The ABI: everything the kernel and a program agree on, stated once.
 *
 * A system call passes registers only; the kernel never reads or writes a program's memory. All calls share one map of
 * ten registers, the same in both directions, so that the words of a message cross from sender to receiver without
 * being touched:
 *
 *     slot        in                                   out                                  riscv64   x86_64
 *     CONTROL     number, flags, accept, handle        status (< 0) or info (>= 0)          a0        rax
 *     LABEL       label, or first argument             label, or first result               a1        rdi
 *     W0 .. W1    words                                words                                a2, a3    rsi, rdx
 *     W2          word, or HANDLE given                word, or index of the handle got     a4        r10
 *     W3          word, or BLOCK given                 word, or address of the block got    a5        r8
 *     W4          word, or DEADLINE                    word (0 where the sender's was a     a6        r9
 *                                                      deadline)
 *     CALLER      whom reply answers                   who called (0: a send, no answer)    a7        rbx
 *     BADGE       -                                    badge of the handle it came through  t0        r12
 *     BITS        -                                    notification bits taken              t1        r13
 *
 * A call clobbers exactly what the C calling convention lets a function clobber, and on x86_64 the last three above.
 * Clobbered registers that carry no result are 0 afterwards, or as the caller left them: nothing of the kernel or of
 * another process is ever in them. sp, s0..s11 (rbp, r14, r15, rsp) keep their values; gp, tp
 * (fs base) are constants of the process, set at its start. Floating point: the registers a C function must keep are
 * kept.
 *
 * Rejected: a register map for each call (a second thing to learn, and the fast path could not leave words in place);
 * a message structure in memory (the kernel would have to check and copy it).
 */
#ifndef OS2_ABI_H
#define OS2_ABI_H

#include <stdint.h>

#include "arch_abi.h"
#include "os2/syscalls.h"

/* System call numbers: OS2_SYS_exit, OS2_SYS_yield, ... */
enum os2_syscall {
#define OS2_SYSCALL_NUMBER(number, name, summary) OS2_SYS_##name = number,
    OS2_SYSCALLS(OS2_SYSCALL_NUMBER)
#undef OS2_SYSCALL_NUMBER
        OS2_SYS_COUNT
};

/* Slots of the register map. */
enum os2_slot {
    OS2_R_CONTROL,
    OS2_R_LABEL,
    OS2_R_W0,
    OS2_R_W1,
    OS2_R_W2,
    OS2_R_W3,
    OS2_R_W4,
    OS2_R_CALLER,
    OS2_R_BADGE,
    OS2_R_BITS,
    OS2_R_COUNT
};
#define OS2_R_HANDLE OS2_R_W2
#define OS2_R_BLOCK OS2_R_W3
#define OS2_R_DEADLINE OS2_R_W4

/* Status. 0 and above: good. One meaning each. */
enum os2_status {
    OS2_OK = 0,
    OS2_E_CALL = -1,         /* no such system call, or not on this architecture */
    OS2_E_INVALID = -2,      /* an argument is malformed or out of range */
    OS2_E_HANDLE = -3,       /* no such handle, or not of the kind this call needs */
    OS2_E_RIGHTS = -4,       /* the handle does not carry the right */
    OS2_E_OWNER = -5,        /* the address is not the start of a block the caller owns */
    OS2_E_MEMORY = -6,       /* the heap has no such block */
    OS2_E_QUOTA = -7,        /* over the quota of the process that would own it */
    OS2_E_FULL = -8,         /* a table is full: handles, page-table reserve, watches */
    OS2_E_BUSY = -9,         /* the address, device or interrupt is taken, or the process is in the wrong state */
    OS2_E_WOULD_WAIT = -10,  /* a poll found nothing */
    OS2_E_TIMEOUT = -11,     /* the deadline passed */
    OS2_E_DIED = -12,        /* the peer has ended */
    OS2_E_REFUSED = -13,     /* the receiver does not accept a block of this order, or a handle; nothing moved */
    OS2_E_NOT_WAITING = -14, /* nobody waits for this answer */
    OS2_E_DEADLOCK = -15,    /* waiting would close a cycle of processes that wait for each other */
    OS2_E_CHAIN = -16,       /* waiting would make a chain longer than OS2_CHAIN_MAX processes */
    OS2_E_FAILED = -17,      /* the server failed this call: LABEL is its reason */
    OS2_STATUS_END = -18
};
#define OS2_CHAIN_MAX 32

/* CONTROL, in: number | flags | accepted order | handle index. The low 16 bits are the number alone where a message is
 * words only and its wait is forever: what the entry path looks for. */
#define OS2_NUMBER_MASK 0xffu
#define OS2_F_BLOCK (1u << 8)     /* send, call, reply: W3 is the address of a block to give */
#define OS2_F_HANDLE (1u << 9)    /* send, call, reply: W2 is a handle to give: index | rights to keep << 16 */
#define OS2_F_DEADLINE (1u << 10) /* W4 is a deadline in clock ticks, 0 = poll; without it a wait is forever */
#define OS2_F_MASK (1u << 12)     /* receive: W0 is the mask of notification bits to take, the others stay */
#define OS2_F_FROM (1u << 13)     /* receive: only from the process the handle names; handle 0: from nobody (sleep) */
#define OS2_F_FAIL (1u << 14)     /* reply: the caller gets OS2_E_FAILED, with LABEL as the reason */
#define OS2_F_ACCEPT_HANDLE (1u << 21) /* receive, call, reply_receive: a handle may come */
#define OS2_ACCEPT_SHIFT 16            /* 5 bits: 0 = no block accepted, k + 1 = blocks of order 0 to k */
#define OS2_ACCEPT_MASK 0x1fu
#define OS2_HANDLE_SHIFT 56 /* 8 bits */
#define OS2_HANDLE_MASK 0xffu

/* CONTROL, out, of a call, receive or reply_receive that succeeded. */
#define OS2_I_MESSAGE (1u << 0) /* a message was taken: LABEL, W0.., CALLER, BADGE hold it */
#define OS2_I_BLOCK (1u << 1)   /* W3 is the address of a block that is now the caller's */
#define OS2_I_HANDLE (1u << 2)  /* W2 is the index of a handle that is now the caller's */
#define OS2_I_BITS (1u << 3)    /* BITS holds notification bits */
#define OS2_I_ORDER_SHIFT 8     /* 8 bits: the order of the block */

#define OS2_FOREVER UINT64_MAX /* as a deadline: the same as none */

/* Memory. A block is 2^order pages, naturally aligned, with one owner. */
#define OS2_PAGE_SHIFT 12
#define OS2_PAGE_SIZE (UINT64_C(1) << OS2_PAGE_SHIFT)
#define OS2_ORDER_MAX 18 /* 1 GiB */
#define OS2_PROT_READ 1u
#define OS2_PROT_WRITE 2u
#define OS2_PROT_EXEC 4u /* never together with write */
#define OS2_PRIVATE_MIN UINT64_C(0x10000)
#define OS2_PRIVATE_MAX OS2_EXCHANGE_BASE /* private addresses: PRIVATE_MIN .. PRIVATE_MAX - 1 */

/* Handles. Index 0 is never a handle. */
#define OS2_HANDLES 256
enum os2_handle_kind {
    OS2_HANDLE_NONE,
    OS2_HANDLE_INBOX,   /* send and call; its badge goes with each message */
    OS2_HANDLE_NOTIFY,  /* notify; its badge is the mask of the bits that it may set */
    OS2_HANDLE_CONTROL, /* of a child; cannot be given away */
    OS2_HANDLE_MACHINE, /* rights OS2_RIGHT_DEVICES and so on */
    OS2_HANDLE_IRQ,     /* one interrupt */
    OS2_HANDLE_PORTS    /* one range of I/O ports (x86_64) */
};
#define OS2_RIGHT_GIVE 1u      /* any: may be given in a message and granted */
#define OS2_RIGHT_MINT 2u      /* inbox, notify: a handle minted from it may have a badge of choice */
#define OS2_RIGHT_SEND 4u      /* inbox: send and call (without: only receive from, and watch) */
#define OS2_RIGHT_CONSOLE 8u   /* machine: firmware_console */
#define OS2_RIGHT_DEVICES 16u  /* machine: device_claim */
#define OS2_RIGHT_POWER 32u    /* machine: machine_control */
#define OS2_RIGHT_LOG 64u      /* machine: read and write the log */
#define OS2_RIGHT_OBSERVE 128u /* machine: process_info of anyone, machine_info */
#define OS2_RIGHTS_ALL 0xffu

/* handle_mint: handle = the source (0: an inbox handle to oneself); LABEL = kind of the result, W0 = badge, W1 =
 * rights. From an INBOX: INBOX or NOTIFY. From a NOTIFY: NOTIFY. From a CONTROL: INBOX or NOTIFY of the child. Others:
 * the same kind. Rights can only shrink. A badge other than the source's needs OS2_RIGHT_MINT. Out: LABEL = the new
 * index. */

/* process_create: LABEL = quota in pages (its own tables and objects count), W0 = quantum in tokens (1 ..
 * OS2_QUANTUM_MAX, at most the creator's own), W1 = watchdog limit in milliseconds (0: none; at most the creator's own,
 * where that has one), W2 = the bits that the supervisor gets when the child has ended, W3, W4 = name, 16 bytes,
 * zero-padded. The child's slot costs the creator some more quota, until the control handle is closed and the child has
 * ended. Out: LABEL = control handle, W0 = process identity.
 * process_give: handle = control, LABEL = block, W0 = address in the child (0: its exchange address), W1 = protection.
 * process_grant: handle = control, LABEL = handle to copy (0: none), W0 = rights to keep, W1 = pages of quota to add.
 * Out: LABEL = index in the child.
 * process_start: handle = control, LABEL = pc, W0 = sp, W1 = argument (the child's first register: a0, rdi), W2 = gp,
 * W3 = tp (x86_64: fs base).
 * process_kill: handle = control. */
#define OS2_QUANTUM_MAX 1000000u
/* What services and programs get where nobody says otherwise: a turn of usual calls is over in a millisecond or less,
 * and one of the dearest in 20. */
#define OS2_QUANTUM_DEFAULT 1000u
#define OS2_WATCHDOG_DEFAULT_MS 10000u

/* process_info: handle 0 = oneself; a control handle = that child; a machine handle with OS2_RIGHT_OBSERVE = the
 * process in slot LABEL. W0 = which page of facts.
 * Page 0 out: LABEL = identity, W0 = state | core << 8 | quantum << 32, W1 = blocks' pages | quota << 32,
 * W2 = table pages | object pages << 32, W3 = tokens spent, W4 = turns, CALLER = identity of the supervisor,
 * BADGE, BITS = name.
 * Page 1 out, once ended: LABEL = identity, W0 = reason, W1 = exit status or cause, W2 = pc, W3 = address. */
enum os2_info_page { OS2_INFO_STATE, OS2_INFO_END };

/* Process identity: slot | generation << 16. */
#define OS2_ID_SLOT_MASK 0xffffu
#define OS2_ID_GENERATION_SHIFT 16

enum os2_process_state {
    OS2_STATE_FREE,
    OS2_STATE_NEW,     /* created, not started */
    OS2_STATE_RUNNING, /* on a core */
    OS2_STATE_READY,   /* in a core's queue */
    OS2_STATE_RECEIVE, /* waits for a message or bits */
    OS2_STATE_SEND,    /* waits for a receiver */
    OS2_STATE_CALL,    /* waits for an answer */
    OS2_STATE_SLEEP,   /* waits for its deadline only */
    OS2_STATE_ENDING,  /* being taken apart */
    OS2_STATE_ENDED    /* its supervisor may read how */
};

enum os2_end_reason {
    OS2_END_NONE,
    OS2_END_EXIT,       /* called exit; the value is its status */
    OS2_END_KILLED,     /* by its supervisor */
    OS2_END_SUPERVISOR, /* its supervisor ended */
    OS2_END_WATCHDOG,   /* made no system call for its limit */
    OS2_END_FAULT       /* the processor refused; the value is an enum os2_fault */
};

enum os2_fault {
    OS2_FAULT_NONE,
    OS2_FAULT_READ,        /* read of an address that is not mapped or not readable */
    OS2_FAULT_WRITE,       /* write to an address that is not mapped or not writable */
    OS2_FAULT_EXEC,        /* jump to an address that is not mapped or not executable */
    OS2_FAULT_ALIGN,       /* misaligned access */
    OS2_FAULT_INSTRUCTION, /* illegal instruction */
    OS2_FAULT_BREAKPOINT,  /* breakpoint instruction */
    OS2_FAULT_ARITHMETIC,  /* division by zero and the like (x86_64) */
    OS2_FAULT_OTHER
};

/* device_claim: handle = machine with OS2_RIGHT_DEVICES, LABEL = kind, W0 = base or number, W1 = order or count.
 * MSI: W0 = which, from 0 on. Out: LABEL = block address (memory, mapped read-write, uncached where the architecture
 * knows the difference) or handle index (interrupt, ports, MSI); MSI: W0, W1 = the address and the word that the device
 * is to write there.
 * irq_bind: handle = IRQ, LABEL = bits; the interrupt is let in. irq_ack: handle = IRQ.
 * port_grant: handle = PORTS. OS2_E_FULL: the process has as many ranges of ports as it can. */
enum os2_device_kind { OS2_DEVICE_MEMORY, OS2_DEVICE_IRQ, OS2_DEVICE_PORTS, OS2_DEVICE_MSI };

/* block_alloc: LABEL = order. Out: LABEL = exchange address.
 * block_free: LABEL = address. Out: nothing.
 * block_place: LABEL = address now, W0 = address wanted (0: the exchange address), W1 = protection.
 * Out: LABEL = new address. */

/* exit: LABEL = status. tokens: out: LABEL = tokens left. clock: out: LABEL = ticks since boot, W0 = ticks per second.
 * watch: handle = an inbox handle, LABEL = bits: set in the caller when that process ends; bits 0 withdraws.
 * notify: handle = NOTIFY, LABEL = bits. */

/* log: handle = machine with OS2_RIGHT_LOG. LABEL = 1 .. OS2_LOG_CHUNK: write so many bytes, W0 .. W4.
 * LABEL = 0: read; W0 = bits that the caller wants when there is more. Out: LABEL = length (0: nothing now), W0 .. W4 =
 * the bytes. The first read ends the kernel's own console output. */
#define OS2_LOG_CHUNK 40u

/* machine_info: handle = machine with OS2_RIGHT_OBSERVE, LABEL = what, W0 = index.
 * MACHINE out: LABEL = cores, W0 = process slots, W1 = first frame number, W2 = end frame number, W3 = pages of RAM,
 * W4 = quota that a slot costs.
 * CORE out: LABEL = firmware's number, W0 = turns, W1 = steals << 32 | stolen processes, W2 = idle ticks,
 * W3 = interrupts, CALLER = 1 if it runs now.
 * FRAMES out (from frame W0 on, a run of equal neighbours): LABEL = next frame to ask for, W0 = state, W1 = order,
 * W2 = how many blocks, W3 = owner's slot + 1 (0: none). */
enum os2_machine_info { OS2_MACHINE_MACHINE, OS2_MACHINE_CORE, OS2_MACHINE_FRAMES };

enum os2_frame_state {
    OS2_FRAME_MAGAZINE, /* free, in stock: a core's, or the last block of its order that came back */
    OS2_FRAME_FREE,
    OS2_FRAME_TAIL,   /* not the first frame of its block */
    OS2_FRAME_OWNED,  /* a process's block, at its exchange address */
    OS2_FRAME_FLIGHT, /* between two owners */
    OS2_FRAME_TABLE,  /* a process's page table, or its reserve of them */
    OS2_FRAME_OBJECT, /* process object, handle table */
    OS2_FRAME_KERNEL,
    OS2_FRAME_PLACED,   /* a process's block, at a private address */
    OS2_FRAME_RESERVED, /* not RAM, or firmware's */
    OS2_FRAME_STATES
};

/* machine_control: handle = machine with OS2_RIGHT_POWER, LABEL = what, W0 = exit code (0 .. 255) where the machine can
 * tell it to whoever started it. */
enum os2_machine_control { OS2_CONTROL_OFF, OS2_CONTROL_RESTART };

/* firmware_console: handle = machine with OS2_RIGHT_CONSOLE, LABEL = what. PUT: W0 = the byte. GET out: LABEL = a byte;
 * OS2_E_WOULD_WAIT: none has come. OS2_E_CALL: firmware serves no console while the machine runs. */
enum os2_firmware_console { OS2_FIRMWARE_PUT, OS2_FIRMWARE_GET };

/*
 * The kernel hands init, the first file of the boot archive, these handles and blocks. Its argument register holds the
 * address of a page with struct os2_boot.
 */
#define OS2_INIT_MACHINE 1 /* index of the machine handle in init's table */
struct os2_boot {
    uint64_t archive, archive_size; /* newc cpio, mapped at its exchange address; 0: none */
    uint64_t tree, tree_size;       /* flattened device tree */
    char arguments[1024];           /* boot arguments, zero-terminated */
};

#endif
