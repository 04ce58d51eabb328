/* SPDX-License-Identifier: MIT */
/* The session of this process with the file service, for the library's own files. */
#ifndef LIB_FILE_SESSION_H
#define LIB_FILE_SESSION_H

#include <stdbool.h>

#include "os2/call.h"
#include "os2/files.h"

/*
 * Asks through the session: `path` and, where it is not null, `second` go with the request in a page, which is a page
 * of text in the answer (*ret_text, good until the next call; ret_text may be null). m->w[0] is the request's; W0, W1,
 * W4 and, for OPEN, the handle in W2 are the answer's. With `again` the request is made again when the service, or
 * a driver below it, has ended meanwhile; else that is OS2_E_DIED.
 */
int os2_file_ask(enum os2_files_operation operation, const char *path, const char *second, bool again,
                 struct os2_message *m, const char **ret_text);

/* After a request has failed with OS2_E_DIED: waits a little, more each time. False: it has been tried long enough. */
bool os2_file_try_again(unsigned *tries);

#endif
