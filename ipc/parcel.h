/* SPDX-License-Identifier: MIT */
/*
 * What goes with a message: one block, one handle; in two parts, so that a delivery is all or nothing.
 *
 * parcel_check() asks everything that can go wrong: does the sender own the block and hold the handle with the right to
 * give it; does the receiver accept them; has it the quota, the table pages and a free handle. It changes nothing.
 * parcel_deliver() cannot fail: the block's mapping moves, the handle is copied, the words are handed over.
 *
 * This core must hold both processes, and no other call may come between the two parts.
 */
#ifndef IPC_PARCEL_H
#define IPC_PARCEL_H

#include "core/process.h"

struct parcel {
    struct process *from, *into;
    struct block block; /* with OS2_F_BLOCK */
    uint64_t handle;    /* target to copy, narrowed; 0: none */
    uint64_t handle_badge;
};

/* Do words go alone? Then nothing can go wrong. */
static inline bool parcel_is_words(const struct process *from) {
    return !(from->reg[OS2_R_CONTROL] & (OS2_F_BLOCK | OS2_F_HANDLE));
}

/* What of a message stays as its sender had it: registers LABEL to W4; W3 is the block's address where there is one. */
struct words {
    uint64_t word[OS2_R_W4 - OS2_R_LABEL + 1];
};
static inline struct words *words_of(struct process *process) {
    return (struct words *)&process->reg[OS2_R_LABEL];
}

/* Give them. */
static inline void parcel_words(struct process *from, struct process *into) {
    *words_of(into) = *words_of(from);
    if (from->reg[OS2_R_CONTROL] & OS2_F_DEADLINE)
        into->reg[OS2_R_DEADLINE] = 0;
    into->reg[OS2_R_CONTROL] = OS2_I_MESSAGE;
    into->blank = NULL;
}

/* Look at what the sender gives, without a receiver: OS2_OK, OS2_E_OWNER, OS2_E_HANDLE, OS2_E_RIGHTS. */
enum os2_status parcel_inspect(struct process *from, struct parcel *ret_parcel);

/* block_fits(), once the space has the tables for it: they are made now, from its quota, and kept in its reserve if the
 * rest fails. OS2_E_MEMORY too. */
enum os2_status parcel_room(struct space *space, const struct block *block, uint64_t to);

/* Can what `from` sends be given to `into`, whose wait says what it accepts? */
enum os2_status parcel_check(struct process *from, struct process *into, struct parcel *ret_parcel);

/* Give it: registers LABEL to W4 and CONTROL of `into` are set. The caller sets CALLER, BADGE and BITS. */
void parcel_deliver(const struct parcel *parcel);

#endif
