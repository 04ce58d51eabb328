/* SPDX-License-Identifier: MIT */
/*
 * The first instructions, of the boot core and of the others, and the boot map.
 *
 * Two ways lead here, both in 32-bit protected mode, with paging off and flat segments:
 *
 *     PVH           an ELF note of owner "Xen", type 18, names the entry; ebx = struct hvm_start_info
 *     multiboot2    a header in the first 32 KiB of the file names it; eax = 0x36d76289, ebx = the information
 *
 * A third starts in real mode: x86_trampoline is copied to a page below 1 MiB, where the start-up IPI sends a core. It
 * is independent of its place, because all that it refers to is in the image, whose physical place is fixed.
 *
 * The boot map: the first 4 GiB of physical addresses, by 2 MiB leaves, at 0, at X86_DIRECT_BASE, and the first GiB of
 * them at X86_IMAGE_BASE. arch_kernel_map() replaces it; later it only serves cores on their way in, which leave it as
 * soon as they are at their link address.
 */
#include "arch_offsets.h"

#define PHYS(symbol) ((symbol) - X86_IMAGE)
#define X86_IMAGE 0xffffffff80000000

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE32 0x18

#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101
#define EFER_LME_NXE 0x900
#define CR0_PE_ET_NE_WP_PG 0x80010031
#define CR4_PAE_PGE 0xa0

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18              /* sizes of owner and value, type: entry in 32-bit mode */
    .ascii "Xen\0"
    .quad PHYS(start_pvh)

    .section .multiboot2, "a", @progbits
    .balign 8
multiboot2_header:
    .long 0xe85250d6, 0, multiboot2_end - multiboot2_header
    .long 0x100000000 - (0xe85250d6 + multiboot2_end - multiboot2_header)
    .balign 8
    .word 1, 0                  /* wanted: the tags of information that boot.c reads */
    .long 8 + 4 * 4
    .long 1, 3, 6, 15
    .balign 8
    .word 3, 0                  /* entry address */
    .long 12, PHYS(start_multiboot2)
    .balign 8
    .word 6, 0                  /* modules on pages of their own */
    .long 8
    .balign 8
    .word 0, 0
    .long 8
multiboot2_end:

    .section .head, "ax"
    .code32
    .globl _start
_start:
start_pvh:
    xorl %eax, %eax
start_multiboot2:
    cld
    cli
    movl %eax, %esi
    movl $PHYS(bss_start), %edi
    movl $PHYS(image_end), %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl
    movl $PHYS(boot_stack_top), %esp

    /* Long mode, and pages that do not execute? */
    movl %ebx, %edi
    movl $0x80000001, %eax
    cpuid
    andl $(1 << 29 | 1 << 20), %edx
    cmpl $(1 << 29 | 1 << 20), %edx
    jne no_long_mode
    movl %edi, %ebx

    movl $PHYS(boot_directories), %edi
    movl $0x83, %eax            /* present, writable, large */
    xorl %edx, %edx
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    loop 1b
    movl $PHYS(boot_directories) + 3, %eax
    movl $PHYS(x86_boot_pointers), %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 1b
    movl $PHYS(boot_directories) + 3, PHYS(boot_image_pointers) + 510 * 8
    movl $PHYS(x86_boot_pointers) + 3, PHYS(x86_boot_root)
    movl $PHYS(x86_boot_pointers) + 3, PHYS(x86_boot_root) + 256 * 8
    movl $PHYS(boot_image_pointers) + 3, PHYS(x86_boot_root) + 511 * 8
    lgdtl PHYS(boot_gdt_pointer)
    xorl %ebp, %ebp             /* the boot core */

/* Paging and long mode on; the boot GDT is loaded. ebp tells which core, ebx and esi are kept. */
long_mode:
    movl $CR4_PAE_PGE, %eax
    movl %eax, %cr4
    movl $PHYS(x86_boot_root), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl $CR0_PE_ET_NE_WP_PG, %eax
    movl %eax, %cr0
    ljmpl $SELECTOR_CODE, $PHYS(1f)
    .code64
1:  movabsq $2f, %rax
    jmp *%rax
2:  lgdt boot_gdt_pointer_linked /* the boot map's identity half goes away */
    movl $SELECTOR_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    testl %ebp, %ebp
    jnz another_core

    /* arch_core() is NULL until arch_core_init(). */
    movl $MSR_GS_BASE, %ecx
    movq $no_core, %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp
    movl %esi, %edi
    movl %ebx, %esi
    call x86_boot

/* A core that was started by IPI: find the struct core for its APIC number. */
another_core:
    movq x86_kernel_cr3, %rax
    movq %rax, %cr3
    xorl %eax, %eax
    cpuid
    cmpl $11, %eax
    jb 1f
    movl $11, %eax
    xorl %ecx, %ecx
    cpuid
    testl %ebx, %ebx
    jz 1f
    movl %edx, %esi             /* 32-bit number */
    jmp 2f
1:  movl $1, %eax
    cpuid
    shrl $24, %ebx
    movl %ebx, %esi
2:  movq $cores, %rdi
    movl $CORES_MAX_COUNT, %ecx
3:  movq (%rdi), %rbx
    testq %rbx, %rbx
    jz 4f
    cmpl %esi, CORE_APIC(%rbx)
    je 5f
4:  addq $8, %rdi
    loop 3b
6:  cli
    hlt
    jmp 6b
5:  movl $MSR_GS_BASE, %ecx
    movq %rbx, %rax
    movq %rbx, %rdx
    shrq $32, %rdx
    wrmsr
    movq CORE_STACK_TOP(%rbx), %rsp
    movq %rbx, %rdi
    xorl %ebp, %ebp
    call core_main

    .code32
no_long_mode:
    movl $PHYS(no_long_mode_text), %esi
    movl $no_long_mode_end - no_long_mode_text, %ecx
    movw $0x3f8, %dx
    rep outsb
1:  cli
    hlt
    jmp 1b

/* A core that was started by IPI, from the trampoline: paging off. */
another_core32:
    movw $SELECTOR_DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $1, %ebp
    jmp long_mode

    .section .rodata
    .code16
    .globl x86_trampoline, x86_trampoline_end
x86_trampoline:
    cli
    movw %cs, %ax
    movw %ax, %ds
    lgdtl trampoline_gdt_pointer - x86_trampoline
    movl %cr0, %eax
    andl $0x9fffffff, %eax      /* caches on */
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $SELECTOR_CODE32, $PHYS(another_core32)
trampoline_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .long PHYS(boot_gdt)
x86_trampoline_end:

    .code64
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* code, 64 bits */
    .quad 0x00cf93000000ffff    /* data */
    .quad 0x00cf9b000000ffff    /* code, 32 bits */
boot_gdt_end:
boot_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .long PHYS(boot_gdt)
boot_gdt_pointer_linked:
    .word boot_gdt_end - boot_gdt - 1
    .quad boot_gdt
    .balign 8
no_core:
    .quad 0
no_long_mode_text:
    .ascii "\r\nkernel panic: not an x86_64 processor with NX\r\n"
no_long_mode_end:

    .bss
    .balign 4096
    .globl x86_boot_root, x86_boot_pointers
x86_boot_root:
    .skip 4096
x86_boot_pointers:
    .skip 4096
boot_image_pointers:
    .skip 4096
boot_directories:
    .skip 4 * 4096
boot_stack:
    .skip STACK_BYTES
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
