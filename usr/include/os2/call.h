/* SPDX-License-Identifier: MIT */
/*
 * The system calls as C functions.
 *
 * Every call goes through one stub (arch_syscall) with one frame of ten registers, struct os2_message, whose fields are
 * the slots of the register map in os2/abi.h. The calls that carry messages take the frame itself, because a program
 * reads and writes its words; the others take and give plain values. Each returns a status: 0 or above is good,
 * anything below is an enum os2_status, and results named `ret_` are then untouched.
 *
 * The stub and the calls with messages are inline: a message that is a variable of the function stays in registers, and
 * what the function neither writes nor reads costs nothing. As functions of the library, with the frame in memory, they
 * made call and answer dearer by 80 instructions in 200, and programs larger.
 *
 * In a message, w[2] is also the handle, w[3] the block and w[4] the deadline where the flags say so (os2/abi.h).
 */
#ifndef OS2_CALL_H
#define OS2_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch_syscall.h"
#include "os2/abi.h"

/* The register frame of a call, in the order of enum os2_slot. */
struct os2_message {
    uint64_t control; /* out: OS2_I_... of what came */
    uint64_t label;
    uint64_t w[5];
    uint64_t caller; /* out of receive: whom to answer, 0 for a send; in of reply: whom reply answers */
    uint64_t badge;
    uint64_t bits;
};
_Static_assert(sizeof(struct os2_message) == OS2_R_COUNT * sizeof(uint64_t), "a message is the register frame");

/* The flag that accepts blocks up to this order. */
#define OS2_ACCEPT(order) (((uint64_t)(order) + 1) << OS2_ACCEPT_SHIFT)

/* The order of the block that came with a message. */
static inline unsigned os2_message_order(const struct os2_message *m) {
    return (m->control >> OS2_I_ORDER_SHIFT) & 0xff;
}

/* The block that came with a message. */
static inline void *os2_message_block(const struct os2_message *m) {
    return (void *)(uintptr_t)m->w[3];
}

_Noreturn void os2_exit(uint64_t status); /* ends at once; main's return also flushes the output (os2/stream.h) */
void os2_yield(void);
uint64_t os2_tokens(void);
uint64_t os2_clock(uint64_t *ret_rate); /* ticks since boot; ret_rate (may be null): ticks per second */

/* Memory. A fresh block is cleared and at its exchange address. */
int os2_block_alloc(unsigned order, void **ret_block);
int os2_block_free(void *block);
int os2_block_place(void *block, uint64_t wanted, unsigned protection, uint64_t *ret_address);

/* Is the block at this address still the caller's? A call that failed may have given it away, or not. It is
 * readable and writable afterwards. */
bool os2_block_owned(void *block);

/* The least order, `most` at the most, whose block has room for so many bytes. */
static inline unsigned os2_order_for(uint64_t bytes, unsigned most) {
    unsigned order = 0;
    while (order < most && OS2_PAGE_SIZE << order < bytes)
        order++;
    return order;
}

/* Messages. `flags` are OS2_F_... and OS2_ACCEPT(). Without OS2_F_DEADLINE a wait is forever. */
static inline __attribute__((always_inline)) int os2_message_call(enum os2_syscall number, unsigned handle,
                                                                  uint64_t flags, struct os2_message *m) {
    m->control = number | flags | (uint64_t)handle << OS2_HANDLE_SHIFT;
    arch_syscall((uint64_t *)m);
    return (int64_t)m->control < 0 ? (int)m->control : OS2_OK;
}

static inline int os2_send(unsigned handle, uint64_t flags, struct os2_message *m) {
    return os2_message_call(OS2_SYS_send, handle, flags, m);
}

static inline int os2_call(unsigned handle, uint64_t flags, struct os2_message *m) {
    return os2_message_call(OS2_SYS_call, handle, flags, m);
}

static inline int os2_receive(uint64_t flags, struct os2_message *m) {
    return os2_message_call(OS2_SYS_receive, 0, flags, m);
}

static inline int os2_receive_from(unsigned handle, uint64_t flags, struct os2_message *m) {
    return os2_message_call(OS2_SYS_receive, handle, flags | OS2_F_FROM, m);
}

static inline int os2_reply(uint64_t flags, struct os2_message *m) {
    return os2_message_call(OS2_SYS_reply, 0, flags, m);
}

static inline int os2_reply_receive(uint64_t flags, struct os2_message *m) {
    return os2_message_call(OS2_SYS_reply_receive, 0, flags, m);
}

int os2_notify(unsigned handle, uint64_t bits);
int os2_watch(unsigned handle, uint64_t bits);

/* Answers `caller` with a reason for refusing; OS2_E_FAILED and the reason as LABEL are what it sees. */
int os2_reply_fail(uint64_t caller, int reason);

/* os2_call() whose status, where the server refuses so, is the server's reason: an enum os2_status, or one of the
 * server's own (os2/files.h), which are below those and above OS2_REASON_END. */
#define OS2_REASON_END (-1000)
int os2_request(unsigned handle, uint64_t flags, struct os2_message *m);

/* Handles. */
int os2_handle_mint(unsigned source, enum os2_handle_kind kind, uint64_t badge, unsigned rights, unsigned *ret_handle);
int os2_handle_close(unsigned handle);

/* Processes. */
struct os2_process_plan {
    uint64_t quota;   /* pages */
    uint64_t quantum; /* tokens a turn */
    uint64_t watchdog_ms;
    uint64_t end_bits; /* set in the creator when the child has ended */
    const char *name;  /* cut to 16 bytes */
};
struct os2_process_facts {
    uint64_t id;
    uint64_t supervisor;
    enum os2_process_state state;
    unsigned core;
    unsigned quantum;
    uint32_t pages, quota, tables, objects; /* all in pages */
    uint64_t tokens, turns;
    char name[17];
};
struct os2_process_end {
    uint64_t id;
    enum os2_end_reason reason;
    uint64_t value; /* exit status, or enum os2_fault */
    uint64_t pc, address;
};
int os2_process_create(const struct os2_process_plan *plan, unsigned *ret_control, uint64_t *ret_id);
int os2_process_give(unsigned control, void *block, uint64_t address, unsigned protection);
int os2_process_grant(unsigned control, unsigned handle, unsigned rights, uint64_t pages, unsigned *ret_index);
int os2_process_start(unsigned control, uint64_t pc, uint64_t sp, uint64_t argument);
int os2_process_kill(unsigned control);
int os2_process_facts(unsigned handle, unsigned slot, struct os2_process_facts *ret_facts);
int os2_process_end(unsigned handle, unsigned slot, struct os2_process_end *ret_end);

/* Devices and the machine. */
int os2_device_claim(unsigned machine, enum os2_device_kind kind, uint64_t base, uint64_t count, uint64_t *ret_result);
/* A message-signalled interrupt: *ret_irq is its handle, and what a device is to write, and where. */
int os2_device_claim_msi(unsigned machine, uint64_t which, unsigned *ret_irq, uint64_t *ret_address,
                         uint32_t *ret_data);
int os2_irq_bind(unsigned irq, uint64_t bits);
int os2_irq_ack(unsigned irq);
int os2_port_grant(unsigned ports);
int os2_log_write(unsigned machine, const char *text, unsigned length);
int os2_log_read(unsigned machine, uint64_t bits, char ret_text[OS2_LOG_CHUNK], unsigned *ret_length);
int os2_machine_info(unsigned machine, enum os2_machine_info what, uint64_t index, struct os2_message *ret);
int os2_machine_control(unsigned machine, enum os2_machine_control what, uint64_t code);
int os2_firmware_put(unsigned machine, uint8_t byte);
int os2_firmware_get(unsigned machine); /* a byte, or a status */

/* Words for a status, a way to end and a state: "over quota", "watchdog", "waits for a message". */
const char *os2_status_text(int status);
const char *os2_fault_text(enum os2_fault fault);
const char *os2_state_text(enum os2_process_state state);

#endif
