/* SPDX-License-Identifier: MIT */
/*
 * From the first table to kernel_main(): what the boot loader, ACPI and the processor say about this machine.
 *
 * The first 640 KiB are left to firmware, which is known to write there after boot; one page of them holds the code
 * that other cores start in. What is read here is read through the boot map and copied: nothing of the loader's is
 * needed later, but for the archive and the tree, which go to init.
 */
#include "arch/x86_64/x86.h"
#include "lib/string.h"

extern char image_start[], image_end[];
extern const uint8_t x86_trampoline[], x86_trampoline_end[];

static struct boot_info boot_info;
static uint64_t trampoline; /* physical page where other cores start; 0: there is none for that */

uint64_t x86_room(const struct boot_info *info, uint64_t size) {
    uint64_t at = boot_room(info, size, UINT64_MAX);
    if (!at)
        panic("no %lu bytes of RAM are free in one piece", size);
    return at;
}

/* GRUB may put the archive into low memory, which is firmware's: it is moved out of there. */
static void move_archive(struct boot_info *info) {
    struct boot_range *archive = &info->archive;
    if (archive->size == 0 || archive->base >= X86_LOW_END)
        return;
    uint64_t at = x86_room(info, archive->size);
    memcpy(arch_phys_to_virt(at), arch_phys_to_virt(archive->base), archive->size);
    archive->base = at;
    info->kept[0] = *archive; /* where loader.c has put it */
}

void x86_boot(uint32_t magic, uint64_t information) {
    struct boot_info *info = &boot_info;
    console_init();
    cpu_gates_init();
    cpu_find_features();

    acpi_read(loader_read(magic, information, info), info);
    trampoline = loader_low_page(info);
    boot_reserve(info, 0, X86_LOW_END);
    boot_reserve(info, (uint64_t)(uintptr_t)image_start - X86_IMAGE_BASE, (uint64_t)(image_end - image_start));
    x86_boot_map(info);
    move_archive(info);
    tree_make(info);
    ioapic_init();
    info->irq_count = ioapic_irqs();
    lapic_init();
    info->clock_hz = clock_calibrate();
    if (!trampoline)
        log_line("no page below 640 KiB is RAM: the other cores cannot start");
    else
        memcpy(arch_phys_to_virt(trampoline), x86_trampoline, (size_t)(x86_trampoline_end - x86_trampoline));
    kernel_main(info);
}

void arch_core_make(struct core *core, unsigned index, uint64_t run_word, uint64_t cpu, uint64_t stack_top) {
    struct arch_core *here = x86_core(core);
    here->self = core;
    here->index = index;
    here->run_word = run_word;
    here->apic = (uint32_t)cpu;
    here->stack_top = x86_map_stack(index, stack_top);
    here->pcid_next = 1;
    here->pcid_epoch = 1;
}

void arch_core_init(struct core *core) {
    cpu_init(x86_core(core));
    lapic_init();
    if (x86_core(core)->index == 0)
        lapic_write(LAPIC_LVT_LINT1, LAPIC_NMI); /* where a PC's NMI comes in; one core is enough to report it */
    clock_core_init();
    apic_ready(x86_core(core));
}

/* INIT, then twice the start-up IPI with the page's number (SDM 3A, 9.4.4.1). */
bool arch_core_start(struct core *core) {
    uint32_t apic = x86_core(core)->apic;
    if (!trampoline)
        return false;
    lapic_send(apic, 0x4500);
    clock_wait_us(10000);
    for (unsigned i = 0; i < 2; i++) {
        lapic_send(apic, 0x4600 | (uint32_t)(trampoline >> OS2_PAGE_SHIFT));
        clock_wait_us(200);
    }
    return true;
}
