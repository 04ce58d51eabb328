/* SPDX-License-Identifier: MIT */
/*
 * The state word of a slot, as ipc/ and core/turn.c use it: three processes, two cores.
 *
 * A core executes the kernel in the name of its current process: each access to a word that others may touch is one
 * step here, and everything between two such steps is local. Memory is sequentially consistent; the fences are the
 * business of litmus tests. Run queues and timer heaps are sets: their own orders do not matter to the protocol.
 *
 * CFG says what the processes do: 1 a server and two clients with deadlines, 2 notifications, 3 a server killed and
 * started again in its slot, 4 a client killed, 5 circles, 6 late replies, 7 a child let go whose slot another takes.
 * LONG makes each do more. A mutant is one of the M_ names defined: the property must then fail. M_NO_DOOM_SWITCH and
 * M_NO_DOOM_PUBLISH are none: those looks make an end prompt, but whoever dooms a held process also sends an IPI.
 *
 * What is asserted, all along: a process is held by at most one core; a message goes to the generation that its handle
 * names; an answer ends the call it answers; nobody is ended who was not doomed; tables are freed when no core uses
 * them; a deadlock is reported where there is a circle. And when nothing moves any more: nobody waits for what is
 * already there, for one who has ended, past a deadline, or in a circle, and no doomed process waits.
 */
#define N 3
#define NONE 15
#define ANY 14

#define FREE 0
#define RUN 1
#define RDY 2
#define CLM 3
#define END 4
#define RCV 5
#define SND 6
#define CAL 7
#define DEAD 8

#define W(k, p, s) ((k) * 1024 + (p) * 64 + (s))
#define KIND(w) ((w) / 1024)
#define PEER(w) (((w) / 64) % 16)
#define SEQ(w) ((w) % 64)
#define WAITS(w) (KIND(w) == RCV || KIND(w) == SND || KIND(w) == CAL)
#define ACCEPTS(w, s) (KIND(w) == RCV && (PEER(w) == ANY || PEER(w) == (s)))
#define TARGET(w) (WAITS(w) && PEER(w) < N -> PEER(w) : NONE)
#define GEN(i) (life[i] / 2)
#define DOOMED(i) (life[i] % 2)

short word[N];
byte life[N];
bit note[N];
bit locked[N];
byte queue[N];     /* senders linked, a set */
byte queued_at[N];
byte seq[N];
byte ready[2];     /* run queues, sets */
byte root[2];      /* whose tables a core uses */
bit ipi[2];
byte node[6];      /* [core * N + slot]: the wait a timer node is armed for; 0: none */
bit armed[N];      /* the wait has a deadline */
byte from[N];      /* of a receive: ANY or one */
byte from_gen[N];
bit is_call[N];
byte caller[N];    /* slot + 1 of the call taken last, 0: none */
byte caller_seq[N];
byte caller_call[N];
byte first[N];     /* CFG 6: the call taken before */
byte first_call[N];
bit abandoned[N];
bit freed[N];      /* tables */

/* Ghosts: what the kernel does not know. */
byte held[N];      /* core + 1 */
byte calls[N];     /* calls made */
byte sent_to[N];   /* generation of the process it sends to */
byte pc[N];

#ifdef LONG
#define CALLS 2
#else
#define CALLS 1
#endif

#define LOCK(i) atomic { locked[i] == 0 -> locked[i] = 1 }
#define UNLOCK(i) locked[i] = 0
/* A claim. */
#define TAKE(i, old, new)                                                                                              \
    atomic {                                                                                                           \
        if                                                                                                             \
        :: word[i] == (old) -> word[i] = (new); ok = 1; assert(held[i] == 0); held[i] = c + 1                          \
        :: else -> ok = 0                                                                                              \
        fi                                                                                                             \
    }
/* The last touch. */
#define PUBLISH(i, new) atomic { assert(held[i] == c + 1); held[i] = 0; word[i] = (new) }
#define READY(i)                                                                                                       \
    word[i] = W(RDY, c, 0);                                                                                            \
    atomic { assert(held[i] == c + 1); held[i] = 0; ready[c] = ready[c] | (1 << (i)) }
#define QUEUE_END(i)                                                                                                   \
    atomic { assert(held[i] == c + 1); held[i] = 0; word[i] = W(END, c, 0); ready[c] = ready[c] | (1 << (i)) }
#define DOOM_END(i) assert(DOOMED(i)); QUEUE_END(i)
#define ARM(i) if :: armed[i] -> node[c * N + i] = seq[i] :: else fi
#define NEXT_SEQ(i) atomic { assert(seq[i] < 60); seq[i] = seq[i] + 1 }
#define UNLINK(r, i)                                                                                                   \
    atomic {                                                                                                           \
        if                                                                                                             \
        :: queued_at[i] == (r) -> queue[r] = queue[r] & (255 - (1 << (i))); queued_at[i] = NONE                        \
        :: else                                                                                                        \
        fi                                                                                                             \
    }
#define LEAVE(r, i) LOCK(r); UNLINK(r, i); UNLOCK(r)
/* Some member of a set. */
#define PICK(i, set)                                                                                                   \
    if                                                                                                                 \
    :: (set) & 1 -> i = 0                                                                                              \
    :: (set) & 2 -> i = 1                                                                                              \
    :: (set) & 4 -> i = 2                                                                                              \
    fi

/* Continuations of receive, walk, kill. */
#define K_RECEIVE 0
#define K_LOOK 1
#define K_REPLY 2

inline hand_over(a, b) { /* the message of a to b, both held */
    atomic {
        assert(held[a] == c + 1 && held[b] == c + 1);
        first[b] = (caller[b] -> caller_seq[b] : 0);
        first_call[b] = caller_call[b];
        caller[b] = (is_call[a] -> a + 1 : 0);
        caller_seq[b] = seq[a];
        caller_call[b] = calls[a]
    }
}

/* wait_expire() for core c's node of slot i. */
inline expire(i) {
    w = word[i];
    s = node[c * N + i];
#ifdef M_TIMER_NO_SEQ
    s = SEQ(w);
#endif
    if
    :: KIND(w) == CLM && SEQ(w) == s ->
#ifdef M_TIMER_DROPS_CLM
        node[c * N + i] = 0
#else
        skip
#endif
    :: else ->
        if
        :: !WAITS(w) || SEQ(w) != s -> node[c * N + i] = 0
        :: else ->
            TAKE(i, w, W(RUN, c, 0));
            if
            :: ok ->
#ifdef M_TIMER_NO_SEQ
                assert(node[c * N + i] == SEQ(w));
#endif
                node[c * N + i] = 0;
#ifndef M_TIMER_NO_UNLINK
                if :: KIND(w) == SND -> LEAVE(PEER(w), i) :: else fi;
#endif
                READY(i)
            :: else
            fi
        fi
    fi
}

/* end_kill() of slot t, generation g. */
inline kill(t, g) {
    atomic { if :: life[t] == g * 2 -> life[t] = g * 2 + 1; ok = 1 :: else -> ok = 0 fi };
    do
    :: !ok -> break
    :: else ->
        w = word[t];
#ifndef M_KILL_NO_RECHECK
        if :: life[t] != g * 2 + 1 -> break :: else fi;
#endif
        if
        :: WAITS(w) ->
            TAKE(t, w, W(END, c, 0));
            if
            :: ok -> if :: KIND(w) == SND -> LEAVE(PEER(w), t) :: else fi; DOOM_END(t); break
            :: else -> ok = 1
            fi
        :: KIND(w) == RUN || KIND(w) == RDY || KIND(w) == CLM ->
#ifndef M_NO_IPI
            if :: PEER(w) != c -> ipi[PEER(w)] = 1 :: else fi;
#endif
            break
        :: else -> break
        fi
    od
}

/* ipi_arrived(), its second half. */
inline collect() {
    i = 0;
    do
    :: i < N ->
        w = word[i];
        if
        :: WAITS(w) && DOOMED(i) ->
            TAKE(i, w, W(END, c, 0));
            if :: ok -> if :: KIND(w) == SND -> LEAVE(PEER(w), i) :: else fi; DOOM_END(i) :: else fi
        :: else
        fi;
        i++
    :: else -> break
    od
}

/* wait_walk() of process a, published as v: ok = 1 if it is this core's again. */
inline walk(a, v) {
    ok = 0;
#ifndef M_NO_WALK
    n1 = TARGET(v);
    n2 = NONE;
    w1 = word[n1];
    if
    :: KIND(v) == SND && ACCEPTS(w1, a) && PEER(w1) != ANY -> n1 = NONE
    :: TARGET(w1) == NONE -> n1 = NONE
    :: else ->
        if
        :: TARGET(w1) == a -> if :: KIND(w1) == SND && KIND(v) == RCV -> n1 = NONE :: else fi
        :: else ->
            n2 = TARGET(w1);
            w2 = word[n2];
            if
            :: KIND(w1) == SND && KIND(w2) == RCV && PEER(w2) == n1 -> n1 = NONE
            :: TARGET(w2) != a -> n1 = NONE
            :: KIND(w2) == SND && KIND(v) == RCV && PEER(v) == n2 -> n1 = NONE
            :: else
            fi
        fi
    fi;
#ifndef M_ONE_PASS
    if :: n1 != NONE && word[n1] != w1 -> n1 = NONE :: else fi;
    if :: n1 != NONE && n2 != NONE && word[n2] != w2 -> n1 = NONE :: else fi;
#endif
    if
    :: n1 != NONE ->
        atomic {
            if
            :: word[a] == v -> /* the others may move at this moment, but each was there at once */
#ifdef M_ONE_PASS
                assert(word[n1] == w1 && (n2 == NONE || word[n2] == w2));
#endif
                word[a] = W(RUN, c, 0); ok = 1; assert(held[a] == 0); held[a] = c + 1
            :: else
            fi
        };
        if :: ok && KIND(v) == SND -> LEAVE(PEER(v), a) :: else fi
    :: else
    fi
#endif
}

proctype core(byte c) {
    byte x = NONE, t, y = NONE, i, rx, cont, g, s, n1, n2, fr, fg, cy = NONE;
    short w, v, w1, w2;
    bit ok, over, bits, missed;

dispatch:
    atomic { x = NONE; y = NONE; cy = NONE; t = 0; i = 0; rx = 0; w = 0; v = 0; s = 0; g = 0; n1 = 0; n2 = 0;
        w1 = 0; w2 = 0; fr = 0; fg = 0; ok = 0; over = 0; bits = 0; missed = 0; cont = 0 };
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
    atomic { y = NONE; cy = NONE; i = 0; w = 0; v = 0; n1 = 0; n2 = 0; w1 = 0; w2 = 0; ok = 0; over = 0;
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
    :: !ipi[c] -> skip
    fi;

#include "claim_programs.inc"

do_yield:
    READY(x);
    goto dispatch;

do_restart: /* a new process in the slot: process_make() and process_start(); its word stays DEAD or FREE until then */
    atomic {
        t = 0;
        assert(held[t] == 0 && queue[t] == 0 && queued_at[t] == NONE);
        pc[t] = 0; freed[t] = 0; abandoned[t] = 0; note[t] = 0; held[t] = c + 1
    };
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

do_notify:
#ifdef M_WORD_BEFORE_BITS
    w = word[t];
#endif
    LOCK(t);
    if :: GEN(t) != g -> UNLOCK(t); goto user :: else fi;
    note[t] = 1;
#ifndef M_WORD_BEFORE_BITS
    w = word[t];
#endif
    if
    :: KIND(w) == RCV && PEER(w) == ANY ->
        TAKE(t, w, W(RUN, c, 0));
        if :: ok -> note[t] = 0; UNLOCK(t); READY(t) :: else -> UNLOCK(t) fi
    :: else -> UNLOCK(t)
    fi;
    goto user;

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
    :: ACCEPTS(w, x) ->
        TAKE(t, w, W(RUN, c, 0));
        if
        :: ok ->
            assert(GEN(t) == g);
            hand_over(x, t);
            if
            :: !is_call[x] -> READY(t); goto user
            :: else ->
                ARM(x);
                root[c] = t;
                PUBLISH(x, W(CAL, t, seq[x]));
                x = t;
#ifndef M_NO_DOOM_SWITCH
                if :: DOOMED(x) -> root[c] = NONE; DOOM_END(x); goto dispatch :: else fi;
#endif
                goto user
            fi
        :: else
        fi
    :: else
    fi;
    LOCK(t);
    if :: GEN(t) != g -> UNLOCK(t); goto user :: else fi;
    atomic { assert(queued_at[x] == NONE); queue[t] = queue[t] | (1 << x); queued_at[x] = t };
    ARM(x);
    v = W(SND, t, seq[x]);
    PUBLISH(x, v);
#ifndef M_NO_SEND_LOOK
    w = word[t];
    if
    :: ACCEPTS(w, x) ->
        TAKE(t, w, W(RUN, c, 0));
        if :: ok -> UNLOCK(t); rx = t; cont = K_LOOK; goto receive :: else fi
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
    if
    :: y != NONE ->
#ifdef M_REPLY_NO_SEQ
        w = word[y];
        if :: KIND(w) == CAL && PEER(w) == x -> TAKE(y, w, W(CLM, c, SEQ(w))) :: else -> ok = 0 fi;
#else
        TAKE(y, W(CAL, x, s), W(CLM, c, s));
#endif
        if :: ok -> assert(calls[y] == g); word[y] = W(RUN, c, 0); cy = y :: else fi
    :: else
    fi;
    atomic { rx = x; cont = K_REPLY; y = NONE; s = 0; g = 0 };
    goto receive;

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
            :: word[y] = W(RUN, c, 0); READY(y)
            :: v = W(CAL, x, SEQ(word[y])); goto publish_caller
            fi
        :: else
        fi
    :: else
    fi;
    goto user;
publish_caller:
    PUBLISH(y, v);
#ifndef M_NO_DOOM_PUBLISH
    if :: DOOMED(y) -> TAKE(y, v, W(END, c, 0)); if :: ok -> DOOM_END(y) :: else fi :: else fi;
#endif
    goto user;

do_receive:
    atomic { rx = x; cont = K_RECEIVE };
receive: /* process rx, held by this core, current or not */
    atomic { bits = 0; y = NONE; fr = from[rx]; fg = from_gen[rx] };
    if
    :: fr == ANY && note[rx] -> LOCK(rx); atomic { bits = note[rx]; note[rx] = 0 }; UNLOCK(rx)
    :: else
    fi;
    if
    :: queue[rx] != 0 ->
        LOCK(rx);
        do
        :: (fr == ANY -> queue[rx] : queue[rx] & (1 << fr)) != 0 ->
            PICK(i, (fr == ANY -> queue[rx] : queue[rx] & (1 << fr)));
            w = word[i];
            UNLINK(rx, i);
            if
            :: KIND(w) == SND && PEER(w) == rx ->
                TAKE(i, w, W(CLM, c, SEQ(w)));
                if :: ok -> y = i; s = SEQ(w); break :: else fi
            :: else
            fi
        :: else -> break
        od;
        UNLOCK(rx)
    :: else
    fi;
    if
    :: y != NONE ->
        hand_over(y, rx);
        if
        :: is_call[y] ->
            w = W(CAL, rx, s);
            PUBLISH(y, w);
#ifndef M_NO_DOOM_PUBLISH
            if :: DOOMED(y) -> TAKE(y, w, W(END, c, 0)); if :: ok -> DOOM_END(y) :: else fi :: else fi
#endif
        :: else -> word[y] = W(RUN, c, 0); READY(y)
        fi;
        over = 1;
        goto received
    :: bits -> caller[rx] = 0; over = 1; goto received
    :: else
    fi;
    if :: fr < N && GEN(fr) != fg -> caller[rx] = 0; over = 1; goto received :: else fi;
    NEXT_SEQ(rx);
    v = W(RCV, fr, seq[rx]);
    ARM(rx);
    caller[rx] = 0; /* a wait that ends otherwise brings none */
    PUBLISH(rx, v);
    missed = 0;
#ifndef M_NO_RECEIVE_LOOK
    if
    :: fr == ANY -> if :: note[rx] -> missed = 1 :: else -> missed = (queue[rx] != 0) fi
    :: else ->
        w = word[fr];
        if :: KIND(w) == SND && PEER(w) == rx -> missed = 1 :: else -> missed = (GEN(fr) != fg) fi
    fi;
#endif
    if
    :: missed ->
        TAKE(rx, v, W(RUN, c, 0));
        if :: ok -> goto receive :: else fi
    :: !missed && fr < N ->
        walk(rx, v);
        if :: ok -> over = 1; goto received :: else fi
    :: else
    fi;
    over = 0;
received:
    if
    :: cont == K_RECEIVE -> if :: over -> goto user :: else -> goto dispatch fi
    :: cont == K_LOOK -> if :: over -> READY(rx) :: else fi; goto dispatch
    :: cont == K_REPLY && cy == NONE -> if :: over -> goto user :: else -> goto dispatch fi
    :: cont == K_REPLY && cy != NONE && over -> READY(cy); goto user
    :: cont == K_REPLY && cy != NONE && !over ->
        root[c] = cy;
        x = cy;
#ifndef M_NO_DOOM_SWITCH
        if :: DOOMED(x) -> root[c] = NONE; DOOM_END(x); goto dispatch :: else fi;
#endif
        goto user
    fi;

ending: /* slot i, END|c: ipc/end.c, without children */
    LOCK(i);
    atomic { life[i] = (GEN(i) + 1) * 2; note[i] = 0 };
    UNLOCK(i);
    do
    :: LOCK(i);
        if :: queue[i] == 0 -> UNLOCK(i); break :: else fi;
        PICK(y, queue[i]);
        UNLINK(i, y);
        w = word[y];
        ok = 0;
        if :: KIND(w) == SND && PEER(w) == i -> TAKE(y, w, W(RUN, c, 0)) :: else fi;
        UNLOCK(i);
        if :: ok -> READY(y) :: else fi
    od;
#ifndef M_NO_SCAN
    y = 0;
    do
    :: y < N ->
        w = word[y];
        if
        :: (KIND(w) == CAL || KIND(w) == RCV) && PEER(w) == i ->
            TAKE(y, w, W(RUN, c, 0));
            if :: ok -> READY(y) :: else fi
        :: else
        fi;
        y++
    :: else -> break
    od;
#endif
#ifndef M_NO_LEFT
    root[1 - c] != i;
#endif
    atomic { assert(root[0] != i && root[1] != i && held[i] == c + 1); freed[i] = 1; caller[i] = 0 };
    NEXT_SEQ(i);
    v = W(DEAD, 0, seq[i]);
    PUBLISH(i, v);
    if
    :: abandoned[i] -> atomic { if :: word[i] == v -> word[i] = W(FREE, 0, 0) :: else fi }
    :: else
    fi;
    goto dispatch
}

#include "claim_end.inc"
