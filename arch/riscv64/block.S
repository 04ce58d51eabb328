/* SPDX-License-Identifier: MIT */
/*
 * The short way to get and to give back one page, a part of entry.S: in the place of the light calls.
 *
 * It is fast_get() and fast_put() of mm/fast.h, line by line, with the same books; whatever is not that simple goes to
 * the C handler, with nothing changed. What C cannot do is here the gain: to return with the few registers cleared that
 * were used, and not ten, and to need no stack.
 *
 * The caller is the current process, so its leaf may be fenced by address at once; where fences are broken, the C
 * handler alone is used (arch_core_make). The address is an exchange address, which one process at a time has mapped:
 * a fence of it in all address spaces takes nothing from anyone else.
 *
 * In the checking build the C handlers alone are used, since they poison what is freed. x86_64 has none of this: its
 * handlers are compiled to within a few instructions of it.
 */

    .macro page_leave
    csrr t2, sepc               /* the program's own, which may stay in t2 */
    addi t2, t2, 4
    csrw sepc, t2
    clear t0, t1, ra
    mv tp, t6
    sret
    .endm

/* a1 is the order, then the frame; t1 the process. */
    .globl riscv_block_alloc
riscv_block_alloc:
    bnez a1, get_other
    ld t1, CORE_CURRENT(tp)
    ld t2, CORE_CLEARED_TOP(tp)
    ld t0, SPACE_REGION(t1)
    lwu a1, -4(t2)              /* MAGAZINE_BOTTOM, which is in no region, where there is none */
    srli ra, a1, REGION_SHIFT
    bne ra, t0, get_other_page
    ld ra, SPACE_CHARGED(t1)
    ld t0, SPACE_QUOTA(t1)
    bgeu ra, t0, get_other_page
    addi ra, ra, 1
    sd ra, SPACE_CHARGED(t1)
    addi t2, t2, -4
    sd t2, CORE_CLEARED_TOP(tp)
    ld ra, SPACE_FRAMES(t1)
    slli t0, a1, FRAME_SHIFT
    add t0, t0, ra              /* its descriptor */
    lwu t2, SPACE_BLOCKS(t1)
    sd t2, FRAME_LINKS(t0)      /* none before it */
    sw a1, SPACE_BLOCKS(t1)
    beqz t2, 1f
    slli t2, t2, FRAME_SHIFT
    add t2, t2, ra
    sw a1, FRAME_PREV(t2)
1:  lw t2, SPACE_PAGE_TAG(t1)
    sw t2, FRAME_TAG(t0)
    ld t2, SPACE_TABLE(t1)
    lhu t0, FRAME_LIVE(t2)
    addi t0, t0, 1
    sh t0, FRAME_LIVE(t2)
    ld t2, SPACE_LEAVES(t1)
    slli t0, a1, 3
    add t2, t2, t0
    slli t0, a1, 10
    addi t0, t0, PAGE_LEAF
    sd t0, 0(t2)
    lui t0, EXCHANGE_NUMBER >> 12
    or a1, a1, t0
    slli a1, a1, PAGE_SHIFT
    li a0, 0
    page_leave

get_other_page:
    li a1, 0
get_other:
    sd sp, CORE_USER_SP(tp)
    ld sp, CORE_STACK_TOP(tp)
    la ra, light_done
    j light_block_alloc

/* a1 is the address, t3 its frame, t0 the descriptor, t1 the process, ra all descriptors. */
    .globl riscv_block_free
riscv_block_free:
    ld t1, CORE_CURRENT(tp)
    ld t2, SPACE_WINDOW(t1)
    srli ra, a1, PAGE_SHIFT + REGION_SHIFT
    bne ra, t2, put_other
    slli t2, a1, 64 - PAGE_SHIFT
    bnez t2, put_other
    ld t2, SPACE_REGION(t1)     /* the kernel's own word for it: a processor that runs ahead stays in the region */
    slli t2, t2, REGION_SHIFT
    slli t3, a1, 64 - PAGE_SHIFT - REGION_SHIFT
    srli t3, t3, 64 - REGION_SHIFT
    or t3, t3, t2
    ld ra, SPACE_FRAMES(t1)
    slli t0, t3, FRAME_SHIFT
    add t0, t0, ra
    lw t2, FRAME_TAG(t0)
    lw a0, SPACE_PAGE_TAG(t1)
    bne t2, a0, put_other       /* not this space's, or larger, or at another address */
    ld t2, CORE_DIRTY_TOP(tp)
    addi a0, tp, CORE_DIRTY_END
    beq t2, a0, put_other
    sw t3, 0(t2)
    addi t2, t2, 4
    sd t2, CORE_DIRTY_TOP(tp)
    sw zero, FRAME_TAG(t0)      /* OS2_FRAME_MAGAZINE, of order 0 */
    ld a0, SPACE_LEAVES(t1)
    slli t2, t3, 3
    add a0, a0, t2
    sd zero, 0(a0)
    sfence.vma a1, zero
    ld a0, SPACE_TABLE(t1)
    lhu t2, FRAME_LIVE(a0)
    addi t2, t2, -1
    sh t2, FRAME_LIVE(a0)
    lwu a1, FRAME_NEXT(t0)
    lwu a0, FRAME_PREV(t0)
    bnez a0, 3f
    sw a1, SPACE_BLOCKS(t1)     /* it was the first one: a0 is 0, as it is to be at the end */
    beqz a1, 2f
    slli a1, a1, FRAME_SHIFT
    add a1, a1, ra
    sw a0, FRAME_PREV(a1)
    li a1, 0
2:  ld t0, SPACE_CHARGED(t1)
    addi t0, t0, -1
    sd t0, SPACE_CHARGED(t1)
    li t3, 0
    page_leave
3:  slli t0, a0, FRAME_SHIFT
    add t0, t0, ra
    sw a1, FRAME_NEXT(t0)
    beqz a1, 4f
    slli a1, a1, FRAME_SHIFT
    add a1, a1, ra
    sw a0, FRAME_PREV(a1)
    li a1, 0
4:  li a0, 0
    j 2b

put_other:
    li t3, 0
    sd sp, CORE_USER_SP(tp)
    ld sp, CORE_STACK_TOP(tp)
    la ra, light_done
    j light_block_free
