/* SPDX-License-Identifier: MIT */
/*
 * Who has what open: clients with their sessions, and their open files.
 *
 * A client's session and its open files are handles to this service, each with a badge that says which it is: the kind,
 * a place in one of two tables, and a number that no other place ever had. So what a client holds of an earlier time is
 * recognised, and it can name nothing but what it was given.
 *
 * The kernel tells of a client's end by a notification bit, and what the client had open is closed then. A process may
 * attach more than once, and the kernel keeps one watch of it, so all clients are looked at when a bit comes. So that
 * nobody can take all places, a session with nothing open ends when its place is needed: whoever has it attaches again.
 */
#ifndef FILES_OPEN_H
#define FILES_OPEN_H

#include "files/volume.h"
#include "os2/call.h"

#define CLIENTS 60u /* the kernel lets a process watch 64 others */
#define OPENS 192u
#define CLIENT_OPENS 64u

struct client {
    unsigned handle; /* to its inbox, watched; 0: the place is free */
    uint64_t number;
    unsigned opens;
};

struct open {
    struct node *node; /* null: the place is free */
    struct client *client;
    uint64_t number;
    unsigned flags; /* OS2_OPEN_READ, OS2_OPEN_WRITE */
};

/* The bits of client ends. */
#define CLIENT_BITS (~UINT64_C(0) << 4)

/* Notes a client, whose handle is ours now if this succeeds. *ret_session: a handle to give to it, and then to close.
 * */
int client_attach(unsigned handle, unsigned *ret_session);

/* Closes what those had open who have ended. */
void clients_ended(void);

/* Who a message came from; null: not through a living session, or open file. */
struct client *client_of(uint64_t badge);
struct open *open_of(uint64_t badge);

/* Opens what `found` says: *ret_handle as for a session. */
int open_add(struct client *client, const struct node *found, unsigned flags, struct open **ret_open,
             unsigned *ret_handle);
void open_close(struct open *open);

/* The node that stands for the same file among those that are open; null: nobody has it open. */
struct node *open_node(const struct node *found);

#endif
