/* SPDX-License-Identifier: MIT */
/*
 * The file service's protocol. The service is registered as "files". Programs use os2/file.h, which speaks it for them.
 * Every request is a call. A failure is OS2_E_FAILED with an enum os2_status or enum os2_file_status as the reason; or,
 * where a block has come with the request, an answer with the block and such a status below 0 as its LABEL.
 *
 * Through the handle of the name service:
 *
 *   ATTACH  a handle to the caller's own inbox, given (it needs no right: the service watches it). Out: a session, a
 *           handle through which all below goes. It ends with the process whose inbox it was.
 *
 *   SYNC    as below, for those whose handle has badge 0.
 *
 * Through a session. Each gives a block of one page that begins with an absolute path, zero-terminated ('/' between
 * names; "." and ".." are understood), and gets it back where it accepts one:
 *
 *   OPEN    W0 = OS2_OPEN_... flags. Out: a handle to the file or folder, W0 = size, W1 = OS2_FILE_... kind.
 *   STAT    out: W0 = size, W1 = kind, W4 = time of the last change in seconds since 1970 (0: not known), LABEL = a
 *           number above 0 that no other file has now.
 *   REMOVE  a file, or an empty folder.
 *   RENAME  a second path, behind the first one's zero: the new name. A file that has that name already is replaced.
 *   MKDIR   makes a folder.
 *   SPACE   of the file system that holds the path. Out: W0 = bytes in all, W1 = bytes free.
 *   MOUNT   W0 = index of a mounted file system (the path says nothing). Out: in the block its path, its kind ("FAT32",
 *           "archive") and what it is on ("disk0, partition 1"), each with its zero; W0 = OS2_MOUNT_... flags. Past the
 *           last: OS2_E_INVALID.
 *   SYNC    everything that was written, by anyone, is safe from a power cut when the answer comes. Without a block.
 *   COUNTS  out: W0 = bytes of files that the service has copied to answer READ, W1 = pages found in its cache, W2 =
 *           pages read from disks, W4 = pages that the cache has now. Without a block.
 *
 * Through a handle of OPEN:
 *
 *   READ      W0 = offset, W1 = how many bytes at the most; a block that they are to be put into, or none: then a fresh
 *             one comes. The caller accepts a block. Out: the block, LABEL = how many bytes of the file it has, from
 *             its start: fewer at the end of the file, or where the block is too small. LABEL 0: the end of the file,
 *             and no block but the caller's. A block that is used again saves clearing a fresh one.
 *   WRITE     W0 = offset (OS2_WRITE_APPEND: the file's end), W1 = how many bytes, a block with them. Out: LABEL = how
 *             many were written: all, or a status; W0 = the file's size; the block, where it is accepted.
 *   TRUNCATE  W0 = size: shorter, or longer with zeros.
 *   FACTS     out: as STAT.
 *   FLUSH     what was written to this file is safe from a power cut when the answer comes.
 *   LIST      of a folder: W0 = position, 0 at first. The caller accepts a page. Out: a page with struct
 *             os2_files_entry, one behind the other, LABEL = how many, W0 = the next position; LABEL 0: there are no
 *             more, and no page.
 *   CLOSE     the handle is worth nothing from then on.
 *
 * OS2_E_HANDLE as the reason: the session is over, or the file closed. Handles die with the service, too. Programs open
 * again, and go on where they were: the library does it for them.
 */
#ifndef OS2_FILES_H
#define OS2_FILES_H

#include <stdint.h>

enum os2_files_operation {
    OS2_FILES_ATTACH = 1,
    OS2_FILES_OPEN,
    OS2_FILES_STAT,
    OS2_FILES_REMOVE,
    OS2_FILES_RENAME,
    OS2_FILES_MKDIR,
    OS2_FILES_SPACE,
    OS2_FILES_MOUNT,
    OS2_FILES_SYNC,
    OS2_FILES_COUNTS,
    OS2_FILES_READ,
    OS2_FILES_WRITE,
    OS2_FILES_TRUNCATE,
    OS2_FILES_FACTS,
    OS2_FILES_FLUSH,
    OS2_FILES_LIST,
    OS2_FILES_CLOSE,
};

/* What OPEN is for. */
#define OS2_OPEN_READ 1u
#define OS2_OPEN_WRITE 2u
#define OS2_OPEN_CREATE 4u    /* make it where it is not there */
#define OS2_OPEN_EXCLUSIVE 8u /* with CREATE: fail where it is there */
#define OS2_OPEN_TRUNCATE 16u /* make it empty */
#define OS2_OPEN_FOLDER 32u   /* only a folder will do */

/* Kinds of files. */
#define OS2_FILE_FOLDER 1u
#define OS2_FILE_READ_ONLY 2u

#define OS2_MOUNT_READ_ONLY 1u

#define OS2_WRITE_APPEND UINT64_MAX
#define OS2_FILES_PATH 1024u /* bytes of a path, its zero included */
#define OS2_FILES_NAME 256u  /* of one name in UTF-8, its zero included; FAT has at most 255 UTF-16 units */
#define OS2_FILES_ORDER 9u   /* the largest block of READ and WRITE: 2 MiB, one leaf */

/* An entry of LIST: the name follows, zero-terminated; the next entry begins `size` bytes behind this one's start. */
struct os2_files_entry {
    uint64_t bytes; /* of the file */
    uint64_t time;  /* of the last change, seconds since 1970 */
    uint32_t kind;  /* OS2_FILE_... */
    uint32_t size;  /* of this entry, a multiple of 8 */
    char name[];
};

/* What can go wrong with files, besides what enum os2_status has. One meaning each. */
enum os2_file_status {
    OS2_FILE_E_NONE = -64,       /* no such file or folder */
    OS2_FILE_E_EXISTS = -65,     /* it is there already */
    OS2_FILE_E_FOLDER = -66,     /* it is a folder, and a file is needed */
    OS2_FILE_E_NO_FOLDER = -67,  /* it is not a folder, and one is needed */
    OS2_FILE_E_NOT_EMPTY = -68,  /* a folder with something in it */
    OS2_FILE_E_NAME = -69,       /* not a name that a file can have, or too long */
    OS2_FILE_E_FULL = -70,       /* the disk, or its root folder, is full */
    OS2_FILE_E_READ_ONLY = -71,  /* the file, or all of the file system */
    OS2_FILE_E_DAMAGED = -72,    /* what is on the disk makes no sense there */
    OS2_FILE_E_DEVICE = -73,     /* the device failed */
    OS2_FILE_E_TOO_LARGE = -74,  /* larger than the file system can have */
    OS2_FILE_E_IN_USE = -75,     /* somebody has it open */
    OS2_FILE_E_OTHER_DISK = -76, /* the new name is on another file system */
    OS2_FILE_E_UNKNOWN = -77,    /* no file system that is known here */
    OS2_FILE_E_ROOT = -78,       /* the folder of a whole disk */
    OS2_FILE_STATUS_END = -79
};

#endif
