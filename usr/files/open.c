/* SPDX-License-Identifier: MIT */
/* Clients and what they have open (files/open.h). */
#include "files/open.h"

#include "os2/string.h"

#define KIND_SHIFT 62
#define KIND_SESSION UINT64_C(1)
#define KIND_OPEN UINT64_C(2)
#define PLACE_BITS 16
#define FIRST_BIT 4u

static struct client clients[CLIENTS];
static struct open opens[OPENS];
static struct node nodes[OPENS];
static uint64_t numbers; /* given so far */

static uint64_t badge_make(uint64_t kind, uint64_t number, unsigned place) {
    return kind << KIND_SHIFT | number << PLACE_BITS | place;
}

static int badge_handle(uint64_t badge, unsigned *ret_handle) {
    return os2_handle_mint(0, OS2_HANDLE_INBOX, badge, OS2_RIGHT_SEND | OS2_RIGHT_GIVE, ret_handle);
}

static uint64_t client_bit(const struct client *client) {
    return UINT64_C(1) << (FIRST_BIT + (unsigned)(client - clients));
}

/* Closes all that a client has open, and forgets it. */
static void client_end(struct client *client) {
    for (struct open *open = opens; client->opens && open < opens + OPENS; open++)
        if (open->node && open->client == client)
            open_close(open);
    os2_handle_close(client->handle);
    client->handle = 0;
}

/* A place for a client: a free one, or that of the oldest that has nothing open. Null: there is none. */
static struct client *client_place(void) {
    struct client *oldest = NULL;

    for (struct client *client = clients; client < clients + CLIENTS; client++) {
        if (!client->handle)
            return client;
        if (!client->opens && (!oldest || client->number < oldest->number))
            oldest = client;
    }
    if (oldest) {
        os2_watch(oldest->handle, 0);
        client_end(oldest);
    }
    return oldest;
}

int client_attach(unsigned handle, unsigned *ret_session) {
    struct client *client = client_place();
    int status;

    if (!client)
        return OS2_E_FULL;
    status = os2_watch(handle, client_bit(client));
    if (status < 0)
        return status;
    status = badge_handle(badge_make(KIND_SESSION, numbers + 1, (unsigned)(client - clients)), ret_session);
    if (status < 0) {
        os2_watch(handle, 0);
        return status;
    }
    *client = (struct client){.handle = handle, .number = ++numbers};
    return OS2_OK;
}

void clients_ended(void) {
    for (struct client *client = clients; client < clients + CLIENTS; client++)
        if (client->handle && os2_watch(client->handle, client_bit(client)) == OS2_E_DIED)
            client_end(client);
}

struct client *client_of(uint64_t badge) {
    unsigned place = badge & ((1u << PLACE_BITS) - 1);
    struct client *client = &clients[place];

    if (badge >> KIND_SHIFT != KIND_SESSION || place >= CLIENTS || !client->handle ||
        badge != badge_make(KIND_SESSION, client->number, place))
        return NULL;
    return client;
}

struct open *open_of(uint64_t badge) {
    unsigned place = badge & ((1u << PLACE_BITS) - 1);
    struct open *open = &opens[place];

    if (badge >> KIND_SHIFT != KIND_OPEN || place >= OPENS || !open->node ||
        badge != badge_make(KIND_OPEN, open->number, place))
        return NULL;
    return open;
}

struct node *open_node(const struct node *found) {
    for (struct node *node = nodes; node < nodes + OPENS; node++)
        if (node->users && node->volume == found->volume && node->volume->type->same(node, found))
            return node;
    return NULL;
}

/* The node of an open file: the one there is, or a new one. There are as many as open files. */
static struct node *node_take(const struct node *found) {
    struct node *node = open_node(found);

    for (struct node *place = nodes; !node && place < nodes + OPENS; place++) {
        if (!place->users) {
            *place = *found;
            place->users = 0;
            node = place;
        }
    }
    if (node)
        node->users++;
    return node;
}

int open_add(struct client *client, const struct node *found, unsigned flags, struct open **ret_open,
             unsigned *ret_handle) {
    struct open *open = opens;
    int status;

    while (open < opens + OPENS && open->node)
        open++;
    if (open == opens + OPENS || client->opens == CLIENT_OPENS)
        return OS2_E_FULL;
    status = badge_handle(badge_make(KIND_OPEN, numbers + 1, (unsigned)(open - opens)), ret_handle);
    if (status < 0)
        return status;
    *open = (struct open){.node = node_take(found), .client = client, .number = ++numbers, .flags = flags};
    client->opens++;
    *ret_open = open;
    return OS2_OK;
}

void open_close(struct open *open) {
    open->client->opens--;
    open->node->users--;
    open->node = NULL;
}
