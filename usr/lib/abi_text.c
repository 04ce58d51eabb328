/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the ABI in words, as people read them in messages (os2/call.h).
 */
#include "os2/call.h"
#include "os2/files.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *file_status_text(int status) {
    static const char *const words[] = {
        [OS2_FILE_E_NONE - OS2_FILE_E_NONE] = "no such file",
        [OS2_FILE_E_NONE - OS2_FILE_E_EXISTS] = "it is there already",
        [OS2_FILE_E_NONE - OS2_FILE_E_FOLDER] = "is a folder",
        [OS2_FILE_E_NONE - OS2_FILE_E_NO_FOLDER] = "is not a folder",
        [OS2_FILE_E_NONE - OS2_FILE_E_NOT_EMPTY] = "the folder is not empty",
        [OS2_FILE_E_NONE - OS2_FILE_E_NAME] = "not a name for a file, or too long",
        [OS2_FILE_E_NONE - OS2_FILE_E_FULL] = "the disk is full",
        [OS2_FILE_E_NONE - OS2_FILE_E_READ_ONLY] = "can only be read",
        [OS2_FILE_E_NONE - OS2_FILE_E_DAMAGED] = "the file system is damaged",
        [OS2_FILE_E_NONE - OS2_FILE_E_DEVICE] = "the disk failed",
        [OS2_FILE_E_NONE - OS2_FILE_E_TOO_LARGE] = "too large",
        [OS2_FILE_E_NONE - OS2_FILE_E_IN_USE] = "somebody has it open",
        [OS2_FILE_E_NONE - OS2_FILE_E_OTHER_DISK] = "the two names are on different disks",
        [OS2_FILE_E_NONE - OS2_FILE_E_UNKNOWN] = "no file system that is known here",
        [OS2_FILE_E_NONE - OS2_FILE_E_ROOT] = "is the folder of a whole disk",
    };
    return words[OS2_FILE_E_NONE - status];
}

const char *os2_status_text(int status) {
    static const char *const words[] = {
        [0] = "ok",
        [-OS2_E_CALL] = "no such system call",
        [-OS2_E_INVALID] = "invalid argument",
        [-OS2_E_HANDLE] = "no such handle",
        [-OS2_E_RIGHTS] = "not allowed",
        [-OS2_E_OWNER] = "not the owner",
        [-OS2_E_MEMORY] = "out of memory",
        [-OS2_E_QUOTA] = "over quota",
        [-OS2_E_FULL] = "table full",
        [-OS2_E_BUSY] = "busy",
        [-OS2_E_WOULD_WAIT] = "nothing there",
        [-OS2_E_TIMEOUT] = "timed out",
        [-OS2_E_DIED] = "the other side has ended",
        [-OS2_E_REFUSED] = "refused",
        [-OS2_E_NOT_WAITING] = "nobody waits",
        [-OS2_E_DEADLOCK] = "deadlock",
        [-OS2_E_CHAIN] = "chain of calls too long",
        [-OS2_E_FAILED] = "failed",
    };
    if (status >= 0)
        return words[0];
    if (status <= OS2_FILE_E_NONE && status > OS2_FILE_STATUS_END)
        return file_status_text(status);
    if (status <= OS2_STATUS_END)
        return "unknown status";
    return words[-status];
}

const char *os2_fault_text(enum os2_fault fault) {
    static const char *const words[] = {
        [OS2_FAULT_NONE] = "no fault",
        [OS2_FAULT_READ] = "read",
        [OS2_FAULT_WRITE] = "write",
        [OS2_FAULT_EXEC] = "jump",
        [OS2_FAULT_ALIGN] = "misaligned access",
        [OS2_FAULT_INSTRUCTION] = "illegal instruction",
        [OS2_FAULT_BREAKPOINT] = "breakpoint",
        [OS2_FAULT_ARITHMETIC] = "arithmetic fault",
        [OS2_FAULT_OTHER] = "forbidden operation",
    };
    return (unsigned)fault < COUNT(words) ? words[fault] : "unknown fault";
}

const char *os2_state_text(enum os2_process_state state) {
    static const char *const words[] = {
        [OS2_STATE_FREE] = "free",   [OS2_STATE_NEW] = "new",         [OS2_STATE_RUNNING] = "running",
        [OS2_STATE_READY] = "ready", [OS2_STATE_RECEIVE] = "receive", [OS2_STATE_SEND] = "send",
        [OS2_STATE_CALL] = "call",   [OS2_STATE_SLEEP] = "sleep",     [OS2_STATE_ENDING] = "ending",
        [OS2_STATE_ENDED] = "ended",
    };
    return (unsigned)state < COUNT(words) ? words[state] : "unknown";
}
