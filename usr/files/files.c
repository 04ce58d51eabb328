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
    const struct os2_message *m;
    struct os2_message answer;
    void *block; /* that came, or that goes; null: none */
    unsigned order;
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

static int serve_read(struct request *r, struct open *open) {
    unsigned order = 0;
    struct piece piece;
    int status;

    while (order < OS2_FILES_ORDER && OS2_PAGE_SIZE << order < r->m->w[1])
        order++;
    status = request_read(open, r->m->w[0], r->m->w[1], order, &piece);
    if (status < 0)
        return status;
    r->answer.label = piece.bytes;
    r->block = piece.block;
    r->order = piece.order;
    return OS2_OK;
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
    if (r->m->label == OS2_FILES_WRITE)
        return serve_write(r, open);
    if (r->block)
        return OS2_E_INVALID;
    switch (r->m->label) {
    case OS2_FILES_READ:
        return serve_read(r, open);
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

/* Answers with what the request has; where the client does not take the block or the handle, without. */
static int answer_send(struct request *r) {
    uint64_t flags = (r->block ? OS2_F_BLOCK : 0) | (r->handle ? OS2_F_HANDLE : 0);
    struct os2_message m = r->answer; /* a copy: the call leaves its own results there */
    int status;

    m.caller = r->m->caller;
    if (r->block)
        m.w[3] = (uintptr_t)r->block;
    if (r->handle)
        m.w[2] = r->handle | (uint64_t)(OS2_RIGHT_SEND | OS2_RIGHT_GIVE) << 16;
    status = os2_reply(flags, &m);
    if (status >= 0)
        r->block = NULL;
    return status;
}

static void serve(const struct os2_message *m) {
    struct request r = {
        .m = m,
        .block = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL,
        .order = os2_message_order(m),
        .handle = m->control & OS2_I_HANDLE ? (unsigned)m->w[2] : 0,
    };
    bool block_came = r.block;
    struct client *client = client_of(m->badge);
    struct open *open = open_of(m->badge);
    int status = OS2_E_HANDLE;

    if (m->label == OS2_FILES_ATTACH && m->badge <= 1)
        status = serve_attach(&r);
    else if (m->label == OS2_FILES_SYNC && m->badge == 0 && !r.block && !r.handle) /* init, before the power goes */
        status = volumes_sync();
    else if (r.handle)
        status = OS2_E_INVALID;
    else if (client)
        status = serve_session(&r, client);
    else if (open)
        status = serve_open(&r, open);
    else if (m->badge <= 1)
        status = OS2_E_INVALID;
    if (status < 0 && block_came && r.block) {
        r.answer = (struct os2_message){.label = (uint64_t)(int64_t)status};
        if (r.handle)
            os2_handle_close(r.handle);
        r.handle = 0;
    }
    if (m->caller && (status >= 0 || (block_came && r.block)))
        status = answer_send(&r);
    if (status < 0 && status != OS2_E_NOT_WAITING && block_came && r.block) { /* the client does not want it back */
        os2_block_free(r.block);
        r.block = NULL;
        status = (int64_t)r.answer.label < 0 ? (int)(int64_t)r.answer.label : answer_send(&r);
    }
    if (r.block)
        os2_block_free(r.block);
    if (r.handle)
        os2_handle_close(r.handle);
    if (m->caller && status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m->caller, status);
}

/* Until when to wait for a request: for ever, where there is nothing to do without one. */
static uint64_t wait_until(bool registered) {
    if (!registered)
        return os2_deadline_ms(NAMES_RETRY_MS);
    return volumes_changed() ? os2_deadline_ms(IDLE_SYNC_MS) : OS2_FOREVER;
}

int main(int argc, char **argv) {
    uint64_t address, size;
    bool registered = false;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    if (argc != 3 || !os2_string_number(argv[1], &address) || !os2_string_number(argv[2], &size))
        return 1;
    archive_start((const void *)(uintptr_t)address, size);

    for (;;) {
        struct os2_message m = {0};
        int status;

        if (!registered)
            registered = os2_names_serve("files", BIT_NAMES) >= 0;
        m.w[4] = wait_until(registered);
        status = os2_receive(OS2_F_DEADLINE | OS2_F_ACCEPT_HANDLE | OS2_ACCEPT(OS2_FILES_ORDER), &m);
        if (status >= 0 && m.control & OS2_I_BITS && m.bits & BIT_NAMES)
            registered = false;
        if (status >= 0 && m.control & OS2_I_BITS && m.bits & CLIENT_BITS)
            clients_ended();
        if (status >= 0 && (m.control & OS2_I_MESSAGE))
            serve(&m);
        else if (status == OS2_E_TIMEOUT && volumes_changed())
            volumes_sync();
    }
}
