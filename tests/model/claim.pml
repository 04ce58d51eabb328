/* SPDX-License-Identifier: MIT */
/*
 * The state word of a slot, as ipc/, core/, sys/ and the entry path use it: three or four processes, two cores.
 *
 * A core executes the kernel in the name of its current process: each access to a word that others may touch is one
 * step here, and everything between two such steps is local. Memory is sequentially consistent; the fences are the
 * business of litmus.py. Run queues and timer heaps are sets: their own orders do not matter to the protocol. Queues of
 * senders are in order. The entry path's assembly is in it where its order differs from the C code: an answer of words,
 * which publishes the server before it claims the caller, and one with a block; neither looks at dooms. Its call takes
 * the steps of the C code, without the look at the doom. Its yield takes the next one first, then lets the other go.
 * Its receive that waits looks at what is pending before and after it has published. notify() claims a receiver at once
 * where it waits plainly: for anyone, for ever, for all bits, as its word tells.
 *
 * Children that are waited for and memory that is kept (CHD, HELD) are not in it. The other short ways touch no state
 * word but through what is here. Of the light calls (sys/light.h) handle_close ends in end_abandon(), watch and
 * process_grant look at another process under its lock, process_give touches a child that has not begun; the rest,
 * tokens and a poll that finds nothing only what is the process's own. message_pass() works on two processes that its
 * core holds.
 *
 * CFG says what the processes do: 1 a server and two clients with deadlines, 2 notifications, 3 a server killed and
 * started again in its slot, 4 a client killed, 5 circles, 6 late replies, 7 a child let go whose slot another takes,
 * 8 deliveries that fail, and polls, 9 circles among four, 10 a handle that is given and whose owner ends, 11 a client
 * killed while its server moves to another core, 12 one who is notified and killed, and another in its slot, 13 a
 * delivery that fails, and nothing else comes, and bits that are not asked for, 14 a yield to one that is killed, 15 a
 * child killed before it starts, and another made in its slot, while a core looks for doomed ones, 16 a receive from
 * one who ends, and another in its slot that sends, 17 a server that ends with two calls unanswered, 18 bits for a
 * server that answers. LONG makes each do more. A mutant is one of the M_ names defined: it must fail.
 * M_NO_DOOM_SWITCH and M_NO_DOOM_PUBLISH are none: those looks make an end prompt, but who dooms a held process that
 * is not ready sends an IPI too.
 *
 * What is asserted, all along: a process is held by at most one core; a message goes to the generation that its handle
 * names, also when the handle came in a message, and bits do, and comes from the one that a receive names; of those who
 * wait in a queue the oldest is taken; a receive ends with something, and with bits only if it asked for them; nobody
 * is timed out who has no deadline; a poll never waits; an answer ends the call it answers; nobody is ended who was not
 * doomed; tables are freed when no core uses them; a deadlock is reported where there is a circle. And when nothing
 * moves any more: no bit is lost, nobody waits for what is already there, for one who has ended, past a deadline, or in
 * a circle, and no doomed process waits.
 */
#include "claim_words.inc"

proctype core(byte c) {
    byte x = NONE, t, y = NONE, i, rx, cont, g, s, n1, n2, fr, fg, cy = NONE, at = NONE, mine, chain[N];
    short w, v, w1, seen[N];
    byte bits;
    bit ok, over, missed;

dispatch:
    atomic { x = NONE; y = NONE; cy = NONE; t = 0; i = 0; rx = 0; w = 0; v = 0; s = 0; g = 0; n1 = 0; n2 = 0;
        w1 = 0; mine = 0; fr = 0; fg = 0; ok = 0; over = 0; bits = 0; missed = 0; cont = 0 };
end_idle:
    atomic {
        if
        :: ready[c] == 0 && root[c] != NONE -> root[c] = NONE; goto end_idle
        :: ready[c] != 0 -> PICK(i, ready[c]); ready[c] = ready[c] & (255 - (1 << i)); held[i] = c + 1
        :: ready[c] == 0 && root[c] == NONE && ready[1 - c] != 0 -> /* steal */
            PICK(i, ready[1 - c]); ready[1 - c] = ready[1 - c] & (255 - (1 << i)); held[i] = c + 1
        :: ready[c] == 0 && root[c] == NONE && ipi[c] -> ipi[c] = 0; goto idle_ipi
        :: ready[c] == 0 && root[c] == NONE && node[c * N + 0] -> i = 0; goto idle_timer
        :: ready[c] == 0 && root[c] == NONE && node[c * N + 1] -> i = 1; goto idle_timer
        :: ready[c] == 0 && root[c] == NONE && node[c * N + 2] -> i = 2; goto idle_timer
        :: ready[c] == 0 && root[c] == NONE && N == 4 && node[c * N + N - 1] -> i = N - 1; goto idle_timer
        fi
    };
    if
    :: KIND(word[i]) == END -> root[c] = NONE; word[i] = W(END, c, 0); goto ending
    :: else -> word[i] = W(RDY, c, 0)
    fi;
    word[i] = W(RUN, c, 0);
#ifndef M_NO_DOOM_DISPATCH
    if :: DOOMED(i) -> root[c] = NONE; DOOM_END(i); goto dispatch :: else fi;
#endif
    x = i;
    root[c] = x;
    goto user;
idle_ipi:
    collect();
    goto dispatch;
idle_timer:
    expire(i);
    goto dispatch;

user: /* x runs in user mode on this core */
    atomic { y = NONE; cy = NONE; i = 0; w = 0; v = 0; n1 = 0; n2 = 0; w1 = 0; mine = 0; ok = 0; over = 0;
        bits = 0; missed = 0; s = 0; fr = 0; fg = 0; t = 0; g = 0; rx = 0; cont = 0 };
    assert(held[x] == c + 1 && word[x] == W(RUN, c, 0) && root[c] == x && !freed[x]);
    if
    :: atomic { ipi[c] -> ipi[c] = 0 };
        if
        :: DOOMED(x) -> root[c] = NONE; DOOM_END(x); x = NONE; collect(); goto dispatch
        :: else -> collect(); goto user
        fi
    :: node[c * N + 0] -> i = 0; expire(i); goto user
    :: node[c * N + 1] -> i = 1; expire(i); goto user
    :: node[c * N + 2] -> i = 2; expire(i); goto user
    :: N == 4 && node[c * N + N - 1] -> i = N - 1; expire(i); goto user
#if CFG == 11 || CFG == 15
    :: true -> skip /* an IPI may be late */
#else
    :: !ipi[c] -> skip
#endif
    fi;
    if
    :: redo[x] -> redo[x] = 0; goto do_receive
    :: else -> assert(!want[x])
    fi;

#include "claim_programs.inc"

do_yield:
    if
    :: atomic {
           ready[c] != 0 -> PICK(i, ready[c]);
           if
           :: KIND(word[i]) == RDY -> ready[c] = ready[c] & (255 - (1 << i)); held[i] = c + 1
           :: else -> goto yield_long
           fi
       };
       word[i] = W(RUN, c, 0); /* entry.S: while the queue is its owner's alone */
       READY(x);
#ifndef M_NO_DOOM_YIELD
       if :: DOOMED(i) -> x = NONE; root[c] = NONE; DOOM_END(i); goto dispatch :: else fi;
#endif
       x = i;
       root[c] = x;
       goto user
    :: true -> skip
    fi;
yield_long:
    READY(x);
    goto dispatch;

do_restart: /* a new process in the slot: process_make() and process_start(); its word stays DEAD or FREE until then */
    atomic {
        t = (CFG == 10 -> 2 : 0);
        assert(held[t] == 0 && queue[t] == 0 && queued_at[t] == NONE);
        pc[t] = 0; freed[t] = 0; abandoned[t] = 0; note[t] = 0; held[t] = c + 1;
        want[t] = 0; redo[t] = 0; told[t] = 0; mask[t] = ALL; asks[t] = ALL
    };
    READY(t);
    goto user;

do_make: /* the same, in two steps: process_make(), */
    atomic {
        assert(held[t] == 0 && queue[t] == 0 && queued_at[t] == NONE);
        pc[t] = 0; freed[t] = 0; abandoned[t] = 0; note[t] = 0; held[t] = c + 1;
        want[t] = 0; redo[t] = 0; told[t] = 0; mask[t] = ALL; asks[t] = ALL
    };
    NEXT_SEQ(t);
    PUBLISH(t, NEW_WORD(t));
    goto user;
do_start: /* and process_start(): nobody else touches one that is not doomed */
    atomic { assert(held[t] == 0 && KIND(word[t]) == NEW && !DOOMED(t)); held[t] = c + 1 };
    READY(t);
    goto user;

do_abandon: /* handle_close() of a control handle */
    abandoned[t] = 1;
    w = word[t];
    if
    :: KIND(w) == DEAD -> atomic { if :: word[t] == w -> word[t] = W(FREE, 0, 0) :: else fi }
    :: else -> kill(t, g)
    fi;
    goto user;

do_kill:
    kill(t, g);
    goto user;

do_exit:
    QUEUE_END(x);
    goto dispatch;

#include "claim_notify.inc"

do_send:
    is_call[x] = 0;
    goto send;
do_call:
    atomic { is_call[x] = 1; calls[x]++ };
send:
    sent_to[x] = g;
    NEXT_SEQ(x);
#ifdef M_GENERATION_FIRST
    if :: GEN(t) != g -> goto user :: else fi;
    w = word[t];
#else
    w = word[t];
    if :: GEN(t) != g -> goto user :: else fi;
#endif
    if
    :: ACCEPTS(w, t, x) ->
        TAKE(t, w, W(RUN, c, 0));
        if
        :: ok ->
            assert(GEN(t) == g);
            assert(CFG != 10 || x != 0 || GEN(t) == given_gen);
            LEAVE(t);
            if
            :: refusals -> /* it cannot be delivered: the receiver receives again */
                atomic { refusals--; rx = t; cont = K_REFUSED };
#ifdef M_REFUSED_RUNS_ON
                READY(t);
                goto user
#else
                goto receive
#endif
            :: true -> skip
            fi;
            hand_over(x, t);
            if
            :: !is_call[x] -> READY(t); goto user
            :: else ->
                ARM(x, seq[x]);
                root[c] = t;
                PUBLISH(x, W(CAL, t, seq[x]));
                x = t;
#ifndef M_NO_DOOM_SWITCH
                if
                :: DOOMED(x) -> root[c] = NONE; DOOM_END(x); goto dispatch
                :: true -> skip /* the entry path */
                fi;
#endif
                goto user
            fi
        :: else
        fi
    :: else
    fi;
#ifndef M_POLL_WAITS
    if :: armed[x] == 2 -> goto user :: else fi;
#endif
#ifndef M_LINK_NO_LEAVE
    LEAVE(x);
#endif
    LOCK(t);
    if :: GEN(t) != g -> UNLOCK(t); goto user :: else fi;
    atomic {
        assert(queued_at[x] == NONE);
        n1 = 0;
        do
        :: n1 < N -> place[x] = place[x] + ((queue[t] >> n1) & 1); n1++
        :: else -> n1 = 0; break
        od;
        queue[t] = queue[t] | (1 << x);
        queued_at[x] = t
    };
    ARM(x, seq[x]);
    v = W(SND, t, seq[x]);
    assert(armed[x] != 2);
    PUBLISH(x, v);
#ifndef M_NO_SEND_LOOK
    w = word[t];
    if
    :: ACCEPTS(w, t, x) ->
        TAKE(t, w, W(RUN, c, 0));
        if
        :: ok ->
#ifdef M_SEND_DELIVERS_ITSELF
            atomic { FIRST(t, place[x]) };
#endif
            UNLOCK(t);
            LEAVE(t);
            rx = t;
            cont = K_LOOK;
            goto receive
        :: else
        fi
    :: else
    fi;
#endif
    UNLOCK(t);
    walk(x, v);
    if :: ok -> goto user :: else -> goto dispatch fi;

do_reply_receive:
    y = (caller[x] -> caller[x] - 1 : NONE);
    s = caller_seq[x];
    g = caller_call[x];
    want[x] = 1;
    assert(asks[x] == ALL);
    if
    :: y < N && armed[x] == 0 && from[x] == ANY && y + 1 == lender[x] && s == lender_seq[x] && LENT(x) ->
        if :: goto short_reply :: goto short_reply_block fi
    :: true -> skip
    fi;
slow_reply:
    if
    :: y != NONE ->
#ifdef M_REPLY_NO_SEQ
        w = word[y];
        if :: KIND(w) == CAL && PEER(w) == x -> TAKE(y, w, W(CLM, c, SEQ(w))) :: else -> ok = 0 fi;
#else
        TAKE(y, W(CAL, x, s), W(CLM, c, s));
#endif
        if :: ok -> assert(calls[y] == g); LEAVE(y); word[y] = W(RUN, c, 0); cy = y :: else fi
    :: else
    fi;
    atomic { rx = x; cont = K_REPLY; y = NONE; s = 0; g = 0 };
    goto receive;

short_reply: /* entry.S: the server is published before the caller is claimed */
    NEXT_SEQ(x);
    v = W(RCV, ANY, seq[x]);
    caller[x] = 0;
    PUBLISH(x, v);
    TAKE(y, W(CAL, x, s), W(RUN, c, 0));
    if :: ok -> assert(calls[y] == g); cy = y :: else fi;
fast_look:
    atomic {
        missed = (note[x] != 0 || queue[x]);
#ifdef M_FAST_NO_LOOK
        missed = 0;
#endif
#ifdef M_FAST_NOTED_ONLY
        missed = (note[x] != 0);
#endif
#ifdef M_FAST_LATE_NO_LOOK
        missed = missed && cy != NONE;
#endif
        rx = x;
        cont = K_REPLY;
        y = NONE; s = 0; g = 0
    };
    if
    :: missed -> TAKE(x, v, W(RUN, c, 0)); if :: ok -> goto receive :: else fi
    :: else
    fi;
    over = 0;
    goto received;
short_reply_block: /* entry.S: the caller is claimed first, for two cores must not edit one table */
    TAKE(y, W(CAL, x, s), W(RUN, c, 0));
    if :: !ok -> goto slow_reply :: else -> assert(calls[y] == g) fi;
    NEXT_SEQ(x);
    v = W(RCV, ANY, seq[x]);
    caller[x] = 0;
    cy = y;
    PUBLISH(x, v);
    goto fast_look;

do_reply: /* to y, call s; g is a ghost: which call that is */
    if
    :: y < N && s ->
#ifdef M_REPLY_NO_SEQ
        w = word[y];
        if :: KIND(w) == CAL && PEER(w) == x -> TAKE(y, w, W(CLM, c, SEQ(w))) :: else -> ok = 0 fi;
#else
        TAKE(y, W(CAL, x, s), W(CLM, c, s));
#endif
        if
        :: ok -> /* the answer may be refused: then the caller waits on */
            assert(calls[y] == g);
            if
            :: LEAVE(y); word[y] = W(RUN, c, 0); READY(y); lender[x] = (y + 1 == lender[x] -> 0 : lender[x])
            :: PUBLISH_CALLER(y, x, SEQ(word[y]))
            fi
        :: else
        fi
    :: else
    fi;
    goto user;

do_receive:
    atomic {
        rx = x; cont = K_RECEIVE; want[x] = 1;
        if
        :: armed[x] == 0 && from[x] == ANY && asks[x] == ALL && note[x] == 0 && queue[x] == 0 && ready[c] != 0 &&
           !LENT(x) ->
            lender[x] = 0;
            goto short_wait
        :: true -> skip /* another's turn, or the next one's tables */
        fi
    };
    goto receive;

short_wait: /* by the entry path, which saw nothing pending, and somebody to go on with */
#ifndef M_WAIT_NO_SEQ
    NEXT_SEQ(x);
#endif
    v = W(RCV, ANY, seq[x]);
    caller[x] = 0;
    PUBLISH(x, v);
    missed = (note[x] != 0 || queue[x] != 0);
#ifdef M_WAIT_NOTED_ONLY
    missed = (note[x] != 0);
#endif
#ifdef M_WAIT_NO_LOOK
    missed = 0;
#endif
    if
    :: missed -> missed = (note[x] != 0); if :: missed :: else -> missed = (queue[x] != 0) fi
    :: else
    fi;
    if
    :: missed ->
        TAKE(x, v, W(RUN, c, 0));
#ifdef M_WAIT_LOSER_GOES_ON
        ok = 1;
#endif
        if :: ok -> goto receive :: else fi
    :: else
    fi;
    goto dispatch;

receive: /* process rx, held by this core, current or not */
    atomic { bits = 0; y = NONE; fr = from[rx]; fg = from_gen[rx] };
    if
    :: fr == ANY && (note[rx] & asks[rx]) != 0 ->
        LOCK(rx);
        atomic {
            bits = note[rx] & asks[rx];
            note[rx] = note[rx] & (ALL - bits);
            told[rx] = told[rx] & (ALL - bits)
        };
        UNLOCK(rx)
    :: else
    fi;
    if
    :: queue[rx] != 0 ->
        LOCK(rx);
        do
        :: (fr == ANY -> queue[rx] : queue[rx] & (1 << fr)) != 0 ->
            OLDEST(i, (fr == ANY -> queue[rx] : queue[rx] & (1 << fr)));
            w = word[i];
#ifndef M_FROM_NO_GENERATION
            if :: fr != ANY && GEN(i) != fg -> break :: else fi;
#endif
            mine = place[i];
            if :: fr == ANY || (KIND(w) == SND && PEER(w) == rx) -> UNLINK(rx, i) :: else -> break fi;
            if
            :: KIND(w) == SND && PEER(w) == rx ->
                TAKE(i, w, W(CLM, c, SEQ(w)));
                if :: ok -> atomic { FIRST(rx, mine); y = i; s = SEQ(w) }; break :: else fi
            :: else
            fi
        :: else -> break
        od;
        UNLOCK(rx)
    :: else
    fi;
    if
    :: (y != NONE || bits || armed[rx] != 2) && lender[rx] -> /* park() */
        atomic { n2 = lender[rx] - 1; lender[rx] = 0 };
#ifdef M_PARK_NOT_HELD
        if :: word[n2] == W(CAL, rx, lender_seq[rx]) -> LINK_WAITER(rx, n2) :: else fi;
#else
        TAKE(n2, W(CAL, rx, lender_seq[rx]), W(CLM, c, lender_seq[rx]));
        if
        :: ok ->
#ifndef M_PARK_NOT_LINKED
            LINK_WAITER(rx, n2);
#endif
            PUBLISH_CALLER(n2, rx, lender_seq[rx])
        :: else
        fi;
#endif
        n2 = 0
    :: else
    fi;
    if
    :: y != NONE && refusals -> /* it cannot be delivered: the sender is told, and the receive goes on */
        refusals--;
        word[y] = W(RUN, c, 0);
        READY(y);
        if
        :: bits ->
            LOCK(rx);
            atomic {
#ifndef M_REFUSED_LOSES_BITS
                note[rx] = note[rx] | bits;
#endif
                told[rx] = told[rx] | bits
            };
            UNLOCK(rx)
        :: else
        fi;
        mine = 0;
        if
        :: goto receive
        :: redo[rx] = 1; mask[rx] = ALL; over = 1; goto received
        fi
    :: y != NONE ->
        hand_over(y, rx);
        if
        :: is_call[y] ->
            PUBLISH_CALLER(y, rx, s)
        :: else -> word[y] = W(RUN, c, 0); READY(y)
        fi;
        over = 1;
        goto received
    :: y == NONE && bits -> atomic { caller[rx] = 0; over = 1; OVER(rx) }; goto received
    :: else
    fi;
    if
    :: fr < N && GEN(fr) != fg -> atomic { caller[rx] = 0; over = 1; OVER(rx) }; goto received
    :: else
    fi;
#ifndef M_POLL_WAITS
    if :: armed[rx] == 2 -> atomic { caller[rx] = 0; over = 1; OVER(rx) }; goto received :: else fi;
#endif
    assert(armed[rx] != 2);
    NEXT_SEQ(rx);
#ifdef M_LONG_NOT_MARKED
    v = W(RCV, fr, seq[rx]);
#else
    v = W(RCV, fr, seq[rx] + (armed[rx] || asks[rx] != ALL -> LONG_WAIT : 0));
#endif
#ifdef M_REFUSED_NOT_ARMED
    if :: cont != K_REFUSED -> ARM(rx, SEQ(v)) :: else fi;
#else
    ARM(rx, SEQ(v));
#endif
#ifndef M_MASK_NOT_SET
    mask[rx] = asks[rx];
#endif
    caller[rx] = 0; /* a wait that ends otherwise brings none */
    wait_life[rx] = fg;
    if :: fr < N -> LINK_WAITER(fr, rx) :: else fi;
    PUBLISH(rx, v);
    missed = 0;
#ifndef M_NO_RECEIVE_LOOK
    if
    :: fr == ANY -> if :: note[rx] & mask[rx] -> missed = 1 :: else -> missed = (queue[rx] != 0) fi
    :: else ->
        w = word[fr];
        if :: KIND(w) == SND && PEER(w) == rx -> missed = 1 :: else -> missed = (GEN(fr) != fg) fi
    fi;
#endif
    if
    :: missed ->
        TAKE(rx, v, W(RUN, c, 0));
        if :: ok -> LEAVE(rx); goto receive :: else fi
    :: !missed && fr < N ->
        walk(rx, v);
        if :: ok -> over = 1; goto received :: else fi
    :: else
    fi;
    over = 0;
received:
    if
    :: cont == K_RECEIVE -> if :: over -> goto user :: else -> goto dispatch fi
    :: cont == K_REFUSED -> if :: over -> READY(rx) :: else fi; goto user
    :: cont == K_LOOK -> if :: over -> READY(rx) :: else fi; goto dispatch
    :: cont == K_REPLY && cy == NONE -> if :: over -> goto user :: else -> goto dispatch fi
    :: cont == K_REPLY && cy != NONE && over -> READY(cy); goto user
    :: cont == K_REPLY && cy != NONE && !over ->
        root[c] = cy;
        x = cy;
#ifndef M_NO_DOOM_SWITCH
        if
        :: DOOMED(x) -> root[c] = NONE; DOOM_END(x); goto dispatch
        :: true -> skip /* the entry path */
        fi;
#endif
        goto user
    fi;

#include "claim_stages.inc"
}

#include "claim_end.inc"
