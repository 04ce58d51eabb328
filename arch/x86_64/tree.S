/* SPDX-License-Identifier: MIT */
/*
 * The small device tree of a PC (tree.c): a flattened tree, version 17 (Devicetree Specification 0.4, chapter 5), with
 * its strings before its structure. The labels are what tree.c fills in, or makes into no-operations where the machine
 * has no such thing.
 */
#define BEGIN_NODE 1
#define END_NODE 2
#define PROPERTY 3
#define END 9
#define PHANDLE 1

    .macro word values:vararg
    .irp value, \values
    .byte (\value) >> 24 & 255, (\value) >> 16 & 255, (\value) >> 8 & 255, (\value) & 255
    .endr
    .endm
    .macro begin name
    word BEGIN_NODE
    .asciz "\name"
    .balign 4
    .endm
    .macro property name, size
    word PROPERTY
    word \size
    word name_\name-names
    .endm
    .macro cells name, values:vararg
    property \name, 9f-8f
8:  word \values
9:
    .endm
    .macro text name, value
    property \name, 9f-8f
8:  .asciz "\value"
9:  .balign 4
    .endm

    .section .rodata
    .balign 8
    .globl x86_tree, x86_tree_end
x86_tree:
    word 0xd00dfeed, x86_tree_end-x86_tree, structure-x86_tree, names-x86_tree, 40, 17, 16, 0, names_end-names
    word x86_tree_end-structure
    .skip 16                    /* memory reservations: none */
names:
name_address_cells:     .asciz "#address-cells"
name_size_cells:        .asciz "#size-cells"
name_interrupt_cells:   .asciz "#interrupt-cells"
name_bus_range:         .asciz "bus-range"
name_compatible:        .asciz "compatible"
name_device_type:       .asciz "device_type"
name_controller:        .asciz "interrupt-controller"
name_parent:            .asciz "interrupt-parent"
name_interrupts:        .asciz "interrupts"
name_phandle:           .asciz "phandle"
name_reg:               .asciz "reg"
name_stdout:            .asciz "stdout-path"
names_end:
    .balign 4

structure:
    begin ""
    cells address_cells, 2
    cells size_cells, 2
    text compatible, "pc"
    begin "chosen"
    .globl x86_tree_stdout, x86_tree_stdout_end
x86_tree_stdout:
    text stdout, "/isa/serial@i3f8"
x86_tree_stdout_end:
    word END_NODE

    .globl x86_tree_ioapic, x86_tree_ioapic_base, x86_tree_ioapic_end
x86_tree_ioapic:
    begin "interrupt-controller"
    text compatible, "intel,ce4100-ioapic"
    property reg, 16
x86_tree_ioapic_base:
    word 0, 0, 0, 0x1000
    property controller, 0
    cells interrupt_cells, 2
    cells phandle, PHANDLE
    word END_NODE
x86_tree_ioapic_end:

    .globl x86_tree_pci, x86_tree_pci_base, x86_tree_pci_buses, x86_tree_pci_end
x86_tree_pci:
    begin "pci"                 /* without ranges: addresses of functions stay as firmware chose them */
    text device_type, "pci"
    text compatible, "pci-host-ecam-generic"
    property reg, 16
x86_tree_pci_base:
    word 0, 0, 0, 0
    property bus_range, 8
x86_tree_pci_buses:
    word 0, 0
    word END_NODE
x86_tree_pci_end:

    begin "isa"
    text device_type, "isa"
    text compatible, "isa"
    cells address_cells, 2
    cells size_cells, 1
    .globl x86_tree_serial, x86_tree_interrupt, x86_tree_interrupt_cells, x86_tree_interrupt_end, x86_tree_serial_end
x86_tree_serial:
    begin "serial@i3f8"
    text compatible, "ns16550a"
    cells reg, 1, 0x3f8, 8
x86_tree_interrupt:
    cells parent, PHANDLE
    property interrupts, 8
x86_tree_interrupt_cells:
    word 0, 0
x86_tree_interrupt_end:
    word END_NODE
x86_tree_serial_end:
    begin "rtc@i70"
    text compatible, "motorola,mc146818"
    cells reg, 1, 0x70, 2
    word END_NODE
    word END_NODE
    word END_NODE
    word END
x86_tree_end:

    .section .note.GNU-stack, "", @progbits
