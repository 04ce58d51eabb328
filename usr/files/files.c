/* SPDX-License-Identifier: MIT */
/*
 * The file service: the regular files of the boot archive, read-only (os2/files.h).
 *
 * The archive is this process's own copy, a block that init gave it before its start; arguments: its address and size.
 * init keeps the original and gives each new file service a fresh copy, so a crash of this one loses nothing: file
 * numbers are places in the archive and mean the same in the next one. That costs the archive's size a second time and
 * leaves init free of serving files, which is why it is done so.
 *
 * Nothing is remembered for a client: opening only looks a path up. What is read is copied into a fresh block, which
 * moves to the client; at the end of a file the block is short, not missing.
 */
#include "os2/files.h"

#include "lib/cpio.h"
#include "os2/call.h"
#include "os2/names.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define FILES 256u
#define BIT_NAMES 1u
#define NAMES_RETRY_MS 200u

static struct cpio_file files[FILES];
static unsigned file_count;

/* Lists the regular files; of two with one name the later one, as an unpacker would leave it. */
static void files_read_archive(const void *archive, size_t size) {
    struct cpio_file file;
    size_t offset = 0;

    while (cpio_next(archive, size, &offset, &file)) {
        unsigned place = 0;
        while (place < file_count && strcmp(files[place].name, file.name) != 0)
            place++;
        if (place == FILES)
            return;
        files[place] = file;
        file_count += place == file_count;
    }
}

static int serve_open(const struct os2_message *m) {
    struct os2_message answer = {.caller = m->caller};
    char path[OS2_FILES_PATH + 1];

    memcpy(path, m->w, OS2_FILES_PATH);
    path[OS2_FILES_PATH] = 0;
    for (unsigned i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, path) == 0) {
            answer.label = i;
            answer.w[0] = files[i].size;
            return os2_reply(0, &answer);
        }
    }
    return OS2_E_WOULD_WAIT;
}

static int serve_list(const struct os2_message *m) {
    struct os2_message answer = {.caller = m->caller};
    size_t length;

    if (m->w[0] >= file_count)
        return OS2_E_INVALID;
    length = strlen(files[m->w[0]].name);
    memcpy(answer.w, files[m->w[0]].name, length < OS2_FILES_PATH ? length : OS2_FILES_PATH);
    answer.label = files[m->w[0]].size;
    return os2_reply(0, &answer);
}

static int serve_read(const struct os2_message *m) {
    struct os2_message answer = {.caller = m->caller};
    const struct cpio_file *file;
    uint64_t part = 0;
    void *block;
    int status;

    if (m->w[0] >= file_count || m->w[2] > OS2_FILES_ORDER)
        return OS2_E_INVALID;
    file = &files[m->w[0]];
    if (m->w[1] < file->size) {
        part = file->size - m->w[1];
        if (part > OS2_PAGE_SIZE << m->w[2])
            part = OS2_PAGE_SIZE << m->w[2];
    }
    status = os2_block_alloc((unsigned)m->w[2], &block);
    if (status < 0)
        return status;
    if (part)
        memcpy(block, file->bytes + m->w[1], part);
    answer.label = part;
    answer.w[3] = (uintptr_t)block;
    status = os2_reply(OS2_F_BLOCK, &answer);
    if (status < 0)
        os2_block_free(block);
    return status;
}

static void serve(const struct os2_message *m) {
    int status = OS2_E_INVALID;

    if (!m->caller)
        return;
    if (m->label == OS2_FILES_OPEN)
        status = serve_open(m);
    else if (m->label == OS2_FILES_LIST)
        status = serve_list(m);
    else if (m->label == OS2_FILES_READ)
        status = serve_read(m);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m->caller, status);
}

int main(int argc, char **argv) {
    uint64_t address, size;
    bool registered = false;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    if (argc != 3 || !os2_string_number(argv[1], &address) || !os2_string_number(argv[2], &size))
        return 1;
    files_read_archive((const void *)(uintptr_t)address, size);

    for (;;) {
        struct os2_message m = {0};
        int status;

        if (!registered)
            registered = os2_names_serve("files", BIT_NAMES) >= 0;
        m.w[4] = registered ? OS2_FOREVER : os2_deadline_ms(NAMES_RETRY_MS);
        status = os2_receive(OS2_F_DEADLINE, &m);
        if (status >= 0 && (m.control & OS2_I_BITS))
            registered = false;
        if (status >= 0 && (m.control & OS2_I_MESSAGE))
            serve(&m);
    }
}
