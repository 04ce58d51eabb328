/* SPDX-License-Identifier: MIT */
/*
 * The system calls as C functions: each fills a register frame, goes through the stub and takes the results out.
 * os2/call.h says what they are and has those that carry messages, os2/abi.h what the registers mean.
 */
#include "os2/call.h"

#include "os2/string.h"

/* A call without flags; `handle` is 0 where the call takes none. */
static inline int call_plain(enum os2_syscall number, unsigned handle, struct os2_message *m) {
    return os2_message_call(number, handle, 0, m);
}

void os2_exit(uint64_t status) {
    for (;;) {
        struct os2_message m = {.label = status};
        call_plain(OS2_SYS_exit, 0, &m);
    }
}

void os2_yield(void) {
    struct os2_message m = {0};
    call_plain(OS2_SYS_yield, 0, &m);
}

uint64_t os2_tokens(void) {
    struct os2_message m = {0};
    call_plain(OS2_SYS_tokens, 0, &m);
    return m.label;
}

uint64_t os2_clock(uint64_t *ret_rate) {
    struct os2_message m = {0};
    call_plain(OS2_SYS_clock, 0, &m);
    if (ret_rate)
        *ret_rate = m.w[0];
    return m.label;
}

int os2_block_alloc(unsigned order, void **ret_block) {
    struct os2_message m = {.label = order};
    int status = call_plain(OS2_SYS_block_alloc, 0, &m);
    if (status >= 0)
        *ret_block = (void *)(uintptr_t)m.label;
    return status;
}

int os2_block_free(void *block) {
    struct os2_message m = {.label = (uintptr_t)block};
    return call_plain(OS2_SYS_block_free, 0, &m);
}

int os2_block_place(void *block, uint64_t wanted, unsigned protection, uint64_t *ret_address) {
    struct os2_message m = {.label = (uintptr_t)block, .w = {wanted, protection}};
    int status = call_plain(OS2_SYS_block_place, 0, &m);
    if (status >= 0)
        *ret_address = m.label;
    return status;
}

bool os2_block_owned(void *block) {
    uint64_t address;
    return os2_block_place(block, (uintptr_t)block, OS2_PROT_READ | OS2_PROT_WRITE, &address) >= 0;
}

int os2_reply_fail(uint64_t caller, int reason) {
    struct os2_message m = {.caller = caller, .label = (uint64_t)(int64_t)reason};
    return os2_reply(OS2_F_FAIL, &m);
}

int os2_request(unsigned handle, uint64_t flags, struct os2_message *m) {
    int status = os2_call(handle, flags, m);
    if (status == OS2_E_FAILED && (int64_t)m->label < 0 && (int64_t)m->label > OS2_REASON_END)
        status = (int)(int64_t)m->label;
    return status;
}

int os2_notify(unsigned handle, uint64_t bits) {
    struct os2_message m = {.label = bits};
    return call_plain(OS2_SYS_notify, handle, &m);
}

int os2_watch(unsigned handle, uint64_t bits) {
    struct os2_message m = {.label = bits};
    return call_plain(OS2_SYS_watch, handle, &m);
}

int os2_handle_mint(unsigned source, enum os2_handle_kind kind, uint64_t badge, unsigned rights, unsigned *ret_handle) {
    struct os2_message m = {.label = kind, .w = {badge, rights}};
    int status = call_plain(OS2_SYS_handle_mint, source, &m);
    if (status >= 0)
        *ret_handle = (unsigned)m.label;
    return status;
}

int os2_handle_close(unsigned handle) {
    struct os2_message m = {0};
    return call_plain(OS2_SYS_handle_close, handle, &m);
}

int os2_process_create(const struct os2_process_plan *plan, unsigned *ret_control, uint64_t *ret_id) {
    struct os2_message m = {.label = plan->quota, .w = {plan->quantum, plan->watchdog_ms, plan->end_bits}};
    char name[16] = {0};
    int status;

    for (unsigned i = 0; i < sizeof(name) && plan->name[i]; i++)
        name[i] = plan->name[i];
    memcpy(&m.w[3], name, sizeof(name));
    status = call_plain(OS2_SYS_process_create, 0, &m);
    if (status >= 0) {
        *ret_control = (unsigned)m.label;
        *ret_id = m.w[0];
    }
    return status;
}

int os2_process_give(unsigned control, void *block, uint64_t address, unsigned protection) {
    struct os2_message m = {.label = (uintptr_t)block, .w = {address, protection}};
    return call_plain(OS2_SYS_process_give, control, &m);
}

int os2_process_grant(unsigned control, unsigned handle, unsigned rights, uint64_t pages, unsigned *ret_index) {
    struct os2_message m = {.label = handle, .w = {rights, pages}};
    int status = call_plain(OS2_SYS_process_grant, control, &m);
    if (status >= 0 && ret_index)
        *ret_index = (unsigned)m.label;
    return status;
}

int os2_process_start(unsigned control, uint64_t pc, uint64_t sp, uint64_t argument) {
    struct os2_message m = {.label = pc, .w = {sp, argument}};
    return call_plain(OS2_SYS_process_start, control, &m);
}

int os2_process_kill(unsigned control) {
    struct os2_message m = {0};
    return call_plain(OS2_SYS_process_kill, control, &m);
}

int os2_process_facts(unsigned handle, unsigned slot, struct os2_process_facts *ret_facts) {
    struct os2_message m = {.label = slot, .w = {OS2_INFO_STATE}};
    int status = call_plain(OS2_SYS_process_info, handle, &m);
    if (status < 0)
        return status;
    *ret_facts = (struct os2_process_facts){
        .id = m.label,
        .supervisor = m.caller,
        .state = (enum os2_process_state)(m.w[0] & 0xff),
        .core = (m.w[0] >> 8) & 0xffffff,
        .quantum = (unsigned)(m.w[0] >> 32),
        .pages = (uint32_t)m.w[1],
        .quota = (uint32_t)(m.w[1] >> 32),
        .tables = (uint32_t)m.w[2],
        .objects = (uint32_t)(m.w[2] >> 32),
        .tokens = m.w[3],
        .turns = m.w[4],
    };
    memcpy(ret_facts->name, &m.badge, 8);
    memcpy(ret_facts->name + 8, &m.bits, 8);
    return OS2_OK;
}

int os2_process_end(unsigned handle, unsigned slot, struct os2_process_end *ret_end) {
    struct os2_message m = {.label = slot, .w = {OS2_INFO_END}};
    int status = call_plain(OS2_SYS_process_info, handle, &m);
    if (status < 0)
        return status;
    *ret_end = (struct os2_process_end){
        .id = m.label,
        .reason = (enum os2_end_reason)m.w[0],
        .value = m.w[1],
        .pc = m.w[2],
        .address = m.w[3],
    };
    return OS2_OK;
}

int os2_device_claim(unsigned machine, enum os2_device_kind kind, uint64_t base, uint64_t count, uint64_t *ret_result) {
    struct os2_message m = {.label = kind, .w = {base, count}};
    int status = call_plain(OS2_SYS_device_claim, machine, &m);
    if (status >= 0)
        *ret_result = m.label;
    return status;
}

int os2_device_claim_msi(unsigned machine, uint64_t which, unsigned *ret_irq, uint64_t *ret_address,
                         uint32_t *ret_data) {
    struct os2_message m = {.label = OS2_DEVICE_MSI, .w = {which}};
    int status = call_plain(OS2_SYS_device_claim, machine, &m);
    if (status >= 0) {
        *ret_irq = (unsigned)m.label;
        *ret_address = m.w[0];
        *ret_data = (uint32_t)m.w[1];
    }
    return status;
}

int os2_irq_bind(unsigned irq, uint64_t bits) {
    struct os2_message m = {.label = bits};
    return call_plain(OS2_SYS_irq_bind, irq, &m);
}

int os2_irq_ack(unsigned irq) {
    struct os2_message m = {0};
    return call_plain(OS2_SYS_irq_ack, irq, &m);
}

int os2_port_grant(unsigned ports) {
    struct os2_message m = {0};
    return call_plain(OS2_SYS_port_grant, ports, &m);
}

int os2_log_write(unsigned machine, const char *text, unsigned length) {
    struct os2_message m = {.label = length};
    if (length < 1 || length > OS2_LOG_CHUNK)
        return OS2_E_INVALID;
    memcpy(m.w, text, length);
    return call_plain(OS2_SYS_log, machine, &m);
}

int os2_log_read(unsigned machine, uint64_t bits, char ret_text[OS2_LOG_CHUNK], unsigned *ret_length) {
    struct os2_message m = {.w = {bits}};
    int status = call_plain(OS2_SYS_log, machine, &m);
    if (status < 0)
        return status;
    *ret_length = m.label < OS2_LOG_CHUNK ? (unsigned)m.label : OS2_LOG_CHUNK;
    memcpy(ret_text, m.w, *ret_length);
    return OS2_OK;
}

int os2_machine_info(unsigned machine, enum os2_machine_info what, uint64_t index, struct os2_message *ret) {
    struct os2_message m = {.label = what, .w = {index}};
    int status = call_plain(OS2_SYS_machine_info, machine, &m);
    if (status >= 0)
        *ret = m;
    return status;
}

int os2_machine_control(unsigned machine, enum os2_machine_control what, uint64_t code) {
    struct os2_message m = {.label = what, .w = {code}};
    return call_plain(OS2_SYS_machine_control, machine, &m);
}

int os2_firmware_put(unsigned machine, uint8_t byte) {
    struct os2_message m = {.label = OS2_FIRMWARE_PUT, .w = {byte}};
    return call_plain(OS2_SYS_firmware_console, machine, &m);
}

int os2_firmware_get(unsigned machine) {
    struct os2_message m = {.label = OS2_FIRMWARE_GET};
    int status = call_plain(OS2_SYS_firmware_console, machine, &m);
    return status < 0 ? status : (int)m.label;
}
