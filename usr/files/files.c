/* SPDX-License-Identifier: MIT */
/*
 * The file service (os2/files.h): takes requests, one after the other, and answers them. files/volume.h has the map of
 * its files.
 *
 * Nothing that a client was answered for is only here: it is on the disk. So the service can end at any time, and the
 * next one goes on; the library of the clients opens their files again. A power cut may take what no SYNC was answered
 * for; when nobody asks for anything for a second, and before init powers the machine off, there is one of itself.
 *
 * Arguments: address and size of this process's copy of the boot archive.
 */
#include "os2/files.h"

#include "files/cache.h"
#include "files/request.h"
#include "os2/call.h"
#include "os2/names.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define BIT_NAMES 1u
#define NAMES_RETRY_MS 200u
#define IDLE_SYNC_MS 1000u /* nobody has asked for anything for so long: what was written is made safe */

/* A request on its way: what came, what goes back. */
struct request {
    const struct os2_message *m; /* until it is served */
    uint64_t caller;
    struct os2_message answer;
    void *block; /* that came, or that goes; null: none */
    unsigned order;
    bool block_came;
    unsigned handle; /* that came, or that goes; 0: none */
};

/* ---- Through the name service's handle. ---- */

static int serve_attach(struct request *r) {
    unsigned session;
    int status;

    if (!r->handle)
        return OS2_E_INVALID;
    status = client_attach(r->handle, &session);
    if (status >= 0)
        r->handle = session; /* the other one is the client's now */
    return status;
}

/* ---- Through a session. ---- */

static void answer_facts(struct request *r, const struct node *node) {
    r->answer.w[0] = node->size;
    r->answer.w[1] = node->kind;
    r->answer.w[4] = node->time;
    r->answer.label = volumes_file_number(node);
}

static int serve_mount(struct request *r) {
    const struct volume *volume = volumes_at((unsigned)r->m->w[0]);
    char *to = r->block;

    if (!volume)
        return OS2_E_INVALID;
    for (unsigned i = 0; i < 3; i++) {
        const char *text = i == 0 ? volume->path : i == 1 ? volume->kind : volume->device;
        memcpy(to, text, strlen(text) + 1);
        to += strlen(text) + 1;
    }
    r->answer.w[0] = volume->read_only ? OS2_MOUNT_READ_ONLY : 0;
    return OS2_OK;
}

static int serve_space(struct request *r, const char *path) {
    struct node node;
    int status = request_find(path, &node);

    return status < 0 ? status : node.volume->type->space(node.volume, &r->answer.w[0], &r->answer.w[1]);
}

/* The page has a path, zero-terminated, and for RENAME a second one behind it. */
static int serve_path(struct request *r, struct client *client) {
    char *path = r->block, *end = path + OS2_PAGE_SIZE;
    size_t length = strnlen(path, OS2_FILES_PATH);
    const char *second = path + length + 1;
    struct node node;
    int status;

    if (length == OS2_FILES_PATH)
        return OS2_FILE_E_NAME;
    switch (r->m->label) {
    case OS2_FILES_OPEN:
        status = request_open(client, path, (unsigned)r->m->w[0], &node, &r->handle);
        if (status >= 0)
            answer_facts(r, &node);
        return status;
    case OS2_FILES_STAT:
        status = request_find(path, &node);
        if (status >= 0)
            answer_facts(r, &node);
        return status;
    case OS2_FILES_REMOVE:
        return request_remove(path);
    case OS2_FILES_RENAME:
        if (strnlen(second, (size_t)(end - second)) >= OS2_FILES_PATH)
            return OS2_FILE_E_NAME;
        return request_rename(path, second);
    case OS2_FILES_MKDIR:
        return request_mkdir(path);
    case OS2_FILES_SPACE:
        return serve_space(r, path);
    case OS2_FILES_MOUNT:
        return serve_mount(r);
    default:
        return OS2_E_INVALID;
    }
}

static int serve_session(struct request *r, struct client *client) {
    if (r->m->label == OS2_FILES_SYNC && !r->block)
        return volumes_sync();
    if (r->m->label == OS2_FILES_COUNTS && !r->block) {
        r->answer.w[0] = counts.copied;
        r->answer.w[1] = counts.hits;
        r->answer.w[2] = counts.reads;
        r->answer.w[4] = cache_pages();
        return OS2_OK;
    }
    return r->block ? serve_path(r, client) : OS2_E_INVALID;
}

/* ---- Through the handle of an open file. ---- */

/* Into the block that came, or a fresh one. */
static int serve_read(struct request *r, struct open *open) {
    struct piece piece = {.block = r->block, .order = r->order};
    int status;

    if (!r->block)
        piece.order = os2_order_for(r->m->w[1], OS2_FILES_ORDER);
    status = request_read(open, r->m->w[0], r->m->w[1], &piece);
    r->block = piece.block;
    r->answer.label = piece.bytes;
    return status;
}

static int serve_write(struct request *r, struct open *open) {
    struct piece piece = {.block = r->block, .order = r->order, .bytes = r->m->w[1]};
    int status;

    if (!piece.block || piece.bytes > OS2_PAGE_SIZE << piece.order)
        return OS2_E_INVALID;
    status = request_write(open, r->m->w[0], &piece);
    r->block = piece.block;
    r->answer.label = piece.bytes;
    r->answer.w[0] = open->node->size;
    return status;
}

static int serve_list(struct request *r, struct open *open) {
    uint64_t position = r->m->w[0];
    int status = os2_block_alloc(0, &r->block);

    if (status < 0)
        return status;
    status = request_list(open, &position, r->block, &r->answer.label);
    r->answer.w[0] = position;
    if (status < 0 || !r->answer.label) {
        os2_block_free(r->block);
        r->block = NULL;
    }
    return status;
}

static int serve_open(struct request *r, struct open *open) {
    if (r->m->label == OS2_FILES_READ)
        return serve_read(r, open);
    if (r->m->label == OS2_FILES_WRITE)
        return serve_write(r, open);
    if (r->block)
        return OS2_E_INVALID;
    switch (r->m->label) {
    case OS2_FILES_TRUNCATE:
        return request_truncate(open, r->m->w[0]);
    case OS2_FILES_FACTS:
        answer_facts(r, open->node);
        return OS2_OK;
    case OS2_FILES_FLUSH:
        return open->node->volume->type->sync ? open->node->volume->type->sync(open->node->volume) : OS2_OK;
    case OS2_FILES_LIST:
        return serve_list(r, open);
    case OS2_FILES_CLOSE:
        open_close(open);
        return OS2_OK;
    default:
        return OS2_E_INVALID;
    }
}

/* ---- Requests and answers. ---- */

/* The flags with which the answer goes; *m is its message. */
static uint64_t answer_fill(const struct request *r, struct os2_message *m) {
    *m = r->answer;
    m->caller = r->caller;
    if (r->block)
        m->w[3] = (uintptr_t)r->block;
    if (r->handle)
        m->w[2] = r->handle | (uint64_t)(OS2_RIGHT_SEND | OS2_RIGHT_GIVE) << 16;
    return (r->block ? OS2_F_BLOCK : 0) | (r->handle ? OS2_F_HANDLE : 0);
}

static void block_drop(struct request *r) {
    if (r->block)
        os2_block_free(r->block);
    r->block = NULL;
}

/* The answer has gone; its handle was a copy. */
static void answer_gone(struct request *r) {
    if (r->handle)
        os2_handle_close(r->handle);
    *r = (struct request){0};
}

/* The answer could not be given so. A block that came with the request is perhaps not wanted back: then without it.
 * Else the client learns why. */
static void answer_again(struct request *r, int status) {
    struct os2_message m;

    if (status != OS2_E_NOT_WAITING && r->block && r->block_came) {
        block_drop(r);
        if ((int64_t)r->answer.label < 0)
            status = (int)(int64_t)r->answer.label;
        else
            status = os2_reply(answer_fill(r, &m), &m);
    }
    block_drop(r);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(r->caller, status);
    answer_gone(r);
}

static void answer_now(struct request *r) {
    struct os2_message m;
    uint64_t flags = answer_fill(r, &m);
    int status = os2_reply(flags, &m);

    if (status < 0)
        answer_again(r, status);
    else
        answer_gone(r);
}

static int serve_by_badge(struct request *r) {
    struct client *client = client_of(r->m->badge);
    struct open *open = open_of(r->m->badge);

    if (open && !r->handle)
        return serve_open(r, open);
    if (client && !r->handle)
        return serve_session(r, client);
    if (open || client || r->m->badge > 1)
        return r->handle ? OS2_E_INVALID : OS2_E_HANDLE;
    if (r->m->label == OS2_FILES_ATTACH)
        return serve_attach(r);
    if (r->m->label == OS2_FILES_SYNC && r->m->badge == 0) /* init, before the power goes */
        return volumes_sync();
    return OS2_E_INVALID;
}

/* Does what was asked. True: the answer is ready, and is still to be given. */
static bool serve(const struct os2_message *m, struct request *r) {
    int status;

    *r = (struct request){
        .m = m,
        .caller = m->caller,
        .block = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL,
        .order = os2_message_order(m),
        .handle = m->control & OS2_I_HANDLE ? (unsigned)m->w[2] : 0,
    };
    r->block_came = r->block;
    status = m->caller ? serve_by_badge(r) : OS2_E_INVALID;
    if (status >= 0)
        return true;
    if (r->handle)
        os2_handle_close(r->handle);
    r->handle = 0;
    if (m->caller && r->block) { /* it goes back, with the status */
        r->answer = (struct os2_message){.label = (uint64_t)(int64_t)status};
        return true;
    }
    block_drop(r);
    if (m->caller)
        os2_reply_fail(m->caller, status);
    return false;
}

/* Until when to wait for a request: for ever, where there is nothing to do without one. */
static uint64_t wait_until(bool registered) {
    if (!registered)
        return os2_deadline_ms(NAMES_RETRY_MS);
    return volumes_changed() ? os2_deadline_ms(IDLE_SYNC_MS) : OS2_FOREVER;
}

/* Gives the answer, if there is one, and waits for the next request: in one call where no deadline is needed. */
static int answer_and_receive(struct request *r, bool ready, bool registered, struct os2_message *m) {
    const uint64_t accept = OS2_F_ACCEPT_HANDLE | OS2_ACCEPT(OS2_FILES_ORDER);
    uint64_t until = wait_until(registered);
    int status;

    if (ready && until == OS2_FOREVER && !r->handle) {
        status = os2_reply_receive(accept | answer_fill(r, m), m);
        if (status >= 0) {
            r->block = NULL;
            return status;
        }
        answer_again(r, status);
    } else if (ready) {
        answer_now(r);
    }
    *m = (struct os2_message){.w = {[4] = until}};
    return os2_receive(accept | (until == OS2_FOREVER ? 0 : OS2_F_DEADLINE), m);
}

/* A client may have given a handle to the name service as its own, which is watched with a bit of clients then, or not
 * any more. So after each change of clients the watch is set again. True: the name service has ended. */
static bool names_lost(const struct os2_message *m, unsigned names) {
    bool clients = (m->control & OS2_I_BITS && m->bits & CLIENT_BITS) ||
                   (m->control & OS2_I_MESSAGE && m->label == OS2_FILES_ATTACH);
    return clients && os2_watch(names, BIT_NAMES) == OS2_E_DIED;
}

int main(int argc, char **argv) {
    bool registered = false, ready = false;
    unsigned names = 0;
    uint64_t address, size;
    struct request r;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    if (argc != 3 || !os2_string_number(argv[1], &address) || !os2_string_number(argv[2], &size))
        return 1;
    archive_start((const void *)(uintptr_t)address, size);

    for (;;) {
        struct os2_message m;
        int status;

        if (!registered)
            registered = os2_names_serve_watched("files", BIT_NAMES, &names) >= 0;
        status = answer_and_receive(&r, ready, registered, &m);
        ready = false;
        if (status == OS2_E_TIMEOUT && volumes_changed())
            volumes_sync();
        if (status < 0)
            continue;
        if (m.control & OS2_I_BITS && m.bits & BIT_NAMES)
            registered = false;
        if (m.control & OS2_I_BITS && m.bits & CLIENT_BITS)
            clients_ended();
        if (m.control & OS2_I_MESSAGE)
            ready = serve(&m, &r);
        registered &= !names_lost(&m, names);
    }
}
