/* SPDX-License-Identifier: MIT */
/*
 * ps: list the processes.
 *
 * PAGES are those of its blocks, TABLES those of its page tables, OBJECTS those of the kernel's objects for it;
 * together they are what counts against QUOTA.
 */
#include "lib/format.h"
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"

int main(void) {
    unsigned machine = os2_start_handle("machine");
    struct os2_process_facts facts;
    struct os2_message about;

    if (!machine || os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &about) < 0) {
        os2_error("no handle to look at processes with");
        return 1;
    }
    os2_printf("%4s %-16s %-8s %4s %7s %6s %7s %8s %10s %8s %5s\n", "ID", "NAME", "STATE", "CORE", "PAGES", "TABLES",
               "OBJECTS", "QUOTA", "TOKENS", "TURNS", "SUPER");
    for (uint64_t slot = 0; slot < about.w[0]; slot++) {
        char core[12] = "-";
        if (os2_process_facts(machine, (unsigned)slot, &facts) < 0 || facts.state == OS2_STATE_FREE)
            continue;
        if (facts.state == OS2_STATE_RUNNING || facts.state == OS2_STATE_READY)
            format(core, sizeof(core), "%u", facts.core);
        os2_printf("%4lu %-16s %-8s %4s %7u %6u %7u %8u %10lu %8lu %5lu\n", facts.id & OS2_ID_SLOT_MASK, facts.name,
                   os2_state_text(facts.state), core, facts.pages, facts.tables, facts.objects, facts.quota,
                   facts.tokens, facts.turns, facts.supervisor & OS2_ID_SLOT_MASK);
    }
    return 0;
}
