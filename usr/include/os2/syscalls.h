/* SPDX-License-Identifier: MIT */
/*
 * Every system call, once.
 *
 * OS2_SYSCALLS(X) expands X(number, name, summary) for each call. The number enum (os2/abi.h), the kernel's dispatch
 * table (sys/dispatch.c), the simulation's names and the manual's table (docs/syscalls.md) all come from this list.
 * What the registers mean is said in os2/abi.h; what each call promises is said in docs/syscalls.md.
 *
 * Numbers are permanent: a call that goes leaves a hole. Those that the entry path tries first have the lowest.
 */
#ifndef OS2_SYSCALLS_H
#define OS2_SYSCALLS_H

#define OS2_SYSCALLS(X)                                                                                                \
    X(0, tokens, "how many tokens are left in the turn")                                                               \
    X(1, call, "give one message and wait for the answer")                                                             \
    X(2, reply_receive, "answer a caller, then receive")                                                               \
    X(3, receive, "take one message, pending notification bits, or both")                                              \
    X(4, send, "give one message; wait until it is taken")                                                             \
    X(5, reply, "answer a caller; never waits")                                                                        \
    X(6, notify, "set notification bits of another process; never waits")                                              \
    X(7, yield, "give up the rest of the turn")                                                                        \
    X(8, exit, "end the calling process")                                                                              \
    X(9, watch, "ask for a notification when a process ends")                                                          \
    X(10, block_alloc, "get a cleared block of 2^order pages")                                                         \
    X(11, block_free, "give a block back to the heap")                                                                 \
    X(12, block_place, "move a block between its exchange address and a private one, or change its protection")        \
    X(13, handle_mint, "make a handle from another, with a badge or fewer rights")                                     \
    X(14, handle_close, "close a handle")                                                                              \
    X(15, process_create, "make an empty child process with a quota of pages")                                         \
    X(16, process_give, "give a block to a child that has not started, at an address of choice")                       \
    X(17, process_grant, "give a child a copy of a handle, or more pages of quota")                                    \
    X(18, process_start, "let a child run")                                                                            \
    X(19, process_kill, "end a child")                                                                                 \
    X(20, process_info, "what a process is, owns and has spent, or how it ended")                                      \
    X(21, device_claim, "get a device's registers, interrupt or ports")                                                \
    X(22, irq_bind, "choose the notification bits an interrupt sets")                                                  \
    X(23, irq_ack, "let the next interrupt of this source in")                                                         \
    X(24, port_grant, "use the I/O ports of a ports handle (x86_64)")                                                  \
    X(25, clock, "the time since boot")                                                                                \
    X(26, log, "write to the kernel's log, or read it")                                                                \
    X(27, machine_info, "what the machine has: cores, frames")                                                         \
    X(28, machine_control, "power off or restart the machine")                                                         \
    X(29, firmware_console, "send a byte to the firmware's console, or take one that came (riscv64)")

#endif
