/* SPDX-License-Identifier: MIT */
/*
 * Model of what sys/interrupt.c and core/steal.c do about a core that is stuck behind a process that makes no call:
 * watchdog(), steal_call_for_help(), steal_help(), steal_look_around(), and the idle core's steal(). The queues
 * themselves are those of the other models: here they are channels, and publish and steal are one step.
 *
 * A process is GREEDY (no call, ever), BUSY (it yields, ever) or SHORT (it ends in its first turn). They begin anywhere
 * in the queues, in any order. Time passes when nothing else can happen: then each core has its tick, naps are over,
 * and steal_look_around() may look again. The first tick only remembers the process; the next one that finds it again
 * makes its core stuck. Who is BUSY yields twice between two ticks.
 *
 * Claimed: whoever is SHORT gets its turn within ROUNDS ticks of its last move, unless every core has a GREEDY process;
 * and no process moves more than MOVES times, however long nobody can run it.
 *
 * check -DCORES=2 -DGREEDIES=1 -DBUSIES=1
 * check -DCORES=2 -DGREEDIES=2 -DBUSIES=0
 * check -DCORES=3 -DGREEDIES=2 -DBUSIES=1
 * check -DCORES=2 -DGREEDIES=1 -DBUSIES=2
 * long -DCORES=3 -DGREEDIES=1 -DBUSIES=2
 *
 * mutant NO_CALL          a stuck core calls nobody
 * mutant NO_HELP          who is called takes nothing
 * mutant HELP_WHEN_STUCK  a core that is stuck itself is called, and takes
 * mutant MARK_WITH_WORK   the mark stands only where somebody waits
 */
#define ROUNDS 6
#define MOVES 12
#define NONE 0
#define GREEDY 1
#define BUSY 2
#define SHORT 3

chan queue[CORES] = [4] of {byte};
byte cur[CORES], yields[CORES];
bool tick[CORES], ipi[CORES], stuck[CORES], seen[CORES], looked[CORES];
byte waiting = 1; /* SHORT ones that have had no turn: there is one */
byte rounds;      /* ticks since it moved */
byte moves;

inline moved(p) {
    if
    :: p == SHORT -> rounds = 0; moves++; assert(moves <= MOVES)
    :: else
    fi
}

/* Any of them. */
inline select_core(i) {
    i = 0;
    do
    :: i < CORES - 1 -> i++
    :: break
    od
}

/* Take the older half. */
inline take_from(v) {
    n = (len(queue[v]) + 1) / 2;
    do
    :: n > 0 -> queue[v] ? p; queue[c] ! p; moved(p); n--
    :: else -> break
    od;
    p = 0
}

/* Some core that has the most ready. */
inline look() {
    v = CORES;
    i = 0;
    do
    :: i < CORES ->
        if
        :: i != c && len(queue[i]) > 0 && (v == CORES || len(queue[i]) > len(queue[v])) -> v = i
        :: else
        fi;
        i++
    :: else -> break
    od;
    if
    :: v < CORES -> take_from(v)
    :: else
    fi;
    v = 0;
    i = 0
}

inline steal_call_for_help() {
    stuck[c] = true;
#ifdef MARK_WITH_WORK
    stuck[c] = len(queue[c]) > 0;
#endif
    v = CORES;
    i = 0;
    do
    :: i < CORES && len(queue[c]) > 0 ->
#ifdef HELP_WHEN_STUCK
        if
        :: i != c && (v == CORES || len(queue[i]) < len(queue[v])) -> v = i
#else
        if
        :: i != c && !stuck[i] && (v == CORES || len(queue[i]) < len(queue[v])) -> v = i
#endif
        :: else
        fi;
        i++
    :: else -> break
    od;
#ifndef NO_CALL
    if
    :: v < CORES -> ipi[v] = true
    :: else
    fi;
#endif
    v = 0;
    i = 0
}

inline steal_help() {
    i = 0;
    do
#ifdef NO_HELP
    :: false -> skip
#elif defined(HELP_WHEN_STUCK)
    :: i < CORES ->
#else
    :: i < CORES && !stuck[c] ->
#endif
#ifndef NO_HELP
        if
        :: i != c && stuck[i] -> take_from(i)
        :: else
        fi;
        i++
#endif
    :: else -> break
    od;
    i = 0
}

inline steal_look_around() {
    if
    :: !stuck[c] && len(queue[c]) == 0 && !looked[c] -> looked[c] = true; look()
    :: else
    fi
}

proctype core(byte c) {
    byte i, n, p, v;
end_core:
    do
    :: atomic { /* loop_next() */
            cur[c] == NONE && len(queue[c]) > 0 ->
            stuck[c] = false;
            seen[c] = false;
            queue[c] ? p;
            cur[c] = p;
            p = 0;
            if
            :: cur[c] == SHORT -> waiting--
            :: else
            fi;
            steal_look_around()
        }
    :: atomic { cur[c] == NONE && len(queue[c]) == 0 && tick[c] -> tick[c] = false; look() }
    :: cur[c] == SHORT -> cur[c] = NONE
    :: atomic { cur[c] == BUSY && len(queue[c]) > 0 && yields[c] > 0 -> yields[c]--; queue[c] ! BUSY; cur[c] = NONE }
    :: cur[c] != NONE && tick[c] -> /* timer_arrived() */
        atomic {
            tick[c] = false;
            if
            :: cur[c] != GREEDY -> stuck[c] = false
            :: cur[c] == GREEDY && !seen[c] -> seen[c] = true; stuck[c] = false
            :: else -> steal_call_for_help()
            fi;
            steal_look_around()
        }
    :: ipi[c] -> atomic { ipi[c] = false; steal_help() }
    od
}

active proctype clock() {
    byte i, greedy;
end_clock:
    do
    :: timeout && waiting > 0 ->
        atomic {
            greedy = 0;
            i = 0;
            do
            :: i < CORES ->
                if
                :: cur[i] == GREEDY -> greedy++
                :: else
                fi;
                tick[i] = true;
                looked[i] = false;
                yields[i] = 2;
                i++
            :: else -> break
            od;
            i = 0;
            if
            :: greedy < CORES -> rounds++; assert(rounds <= ROUNDS)
            :: else -> rounds = 0
            fi;
            greedy = 0
        }
    od
}

init {
    byte i, greedies = GREEDIES, busies = BUSIES, shorts = 1;
    atomic {
        do
        :: greedies > 0 -> select_core(i); queue[i] ! GREEDY; greedies--
        :: busies > 0 -> select_core(i); queue[i] ! BUSY; busies--
        :: shorts > 0 -> select_core(i); queue[i] ! SHORT; shorts--
        :: greedies + busies + shorts == 0 -> break
        od;
        i = 0;
        do
        :: i < CORES -> run core(i); i++
        :: else -> break
        od
    }
}
