/* SPDX-License-Identifier: MIT */
/*
 * Pipelines as processes.
 *
 * Each stage is a child with a notification bit of its own, which the kernel sets when it has ended; the last bit is
 * ^C. The stages are made first, then wired (each gets a handle to its neighbours: to receive from the one, to send to
 * the other), then started, so that no stage can miss its neighbour. A job ends when all its stages have ended; its
 * status is the last stage's.
 *
 * While commands run, ^C is a notification instead of input: it ends the job in the foreground, and the interpreter
 * does nothing that stands behind it. A job
 * gets half of the pages that are left, its stages equal parts of that, so that a program can be greedy and another one
 * still be started.
 */
#include "shell/job.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/file.h"
#include "os2/names.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "shell/programs.h"
#include "shell/services.h"
#include "shell/terminal.h"

#define CHILDREN 32u
#define JOBS 16u
#define BIT_CTRL_C (UINT64_C(1) << 63)
#define QUOTA_SHARE 2u
#define STATUS_NOT_FOUND 127u
#define STATUS_CANNOT 126u
#define STATUS_ENDED 128u /* plus the reason: ended, but not by exit */

struct child {
    struct os2_child process; /* control 0: the place is free */
    unsigned job;
    bool last;
    unsigned rights; /* to the machine */
    char name[17];
};

struct job {
    unsigned running; /* stages that have not ended; 0: the place is free */
    bool background, interrupted;
    uint64_t status;
    char text[64];
};

static struct child children[CHILDREN];
static struct job jobs[JOBS];
static unsigned ctrl_c;  /* the notify handle for it */
static bool interrupted; /* ^C since job_attend() */

void job_init(void) {
    os2_handle_mint(0, OS2_HANDLE_NOTIFY, BIT_CTRL_C, OS2_RIGHTS_ALL, &ctrl_c);
}

/* Takes notice of a child's end and gives its pages back. */
static void child_ended(struct child *child) {
    struct job *job = &jobs[child->job];
    struct os2_process_end end;
    char how[160];

    if (os2_process_end(child->process.control, 0, &end) < 0)
        return;
    if (end.reason != OS2_END_EXIT && !(end.reason == OS2_END_KILLED && job->interrupted)) {
        os2_child_describe(&child->process, &end, how, sizeof(how));
        terminal_print("%s: ended: %s\n", child->name, how);
    }
    if (child->last)
        job->status = end.reason == OS2_END_EXIT ? end.value : STATUS_ENDED + (unsigned)end.reason;
    os2_child_drop(&child->process);
    job->running--;
    if (job->running == 0 && job->background)
        terminal_print("[%u] done, status %lu: %s\n", child->job + 1, job->status, job->text);
}

static void job_bits(uint64_t bits) {
    interrupted |= (bits & BIT_CTRL_C) != 0;
    for (unsigned i = 0; i < CHILDREN; i++)
        if (bits & UINT64_C(1) << i && children[i].process.control)
            child_ended(&children[i]);
}

/* A program asks for the name service that lives, as services ask init. It gets one for programs. */
static int serve_names(uint64_t caller) {
    struct os2_message m = {.caller = caller};
    unsigned rights = OS2_RIGHT_SEND | OS2_RIGHT_GIVE, handle;
    int status = os2_handle_mint(services_names(), OS2_HANDLE_INBOX, OS2_NAMES_ORDINARY, rights, &handle);

    if (status < 0)
        return status;
    m.w[2] = handle | (uint64_t)rights << 16;
    status = os2_reply(OS2_F_HANDLE, &m);
    os2_handle_close(handle);
    return status;
}

static void serve(const struct os2_message *m) {
    int status = OS2_E_INVALID;

    if (!m->caller)
        return;
    if (m->label == OS2_SUPERVISOR_NAMES)
        status = serve_names(m->caller);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m->caller, status);
}

void job_poll(void) {
    struct os2_message m = {.w = {[4] = 0}};
    while (os2_receive(OS2_F_DEADLINE, &m) >= 0) {
        if (m.control & OS2_I_BITS)
            job_bits(m.bits);
        if (m.control & OS2_I_MESSAGE)
            serve(&m);
        m = (struct os2_message){0};
    }
}

static void job_interrupt(struct job *job) {
    unsigned number = (unsigned)(job - jobs);
    job->interrupted = true;
    for (unsigned i = 0; i < CHILDREN; i++) {
        if (children[i].process.control && children[i].job == number) {
            os2_process_kill(children[i].process.control);
            terminal_print("^C: %s killed\n", children[i].name);
        }
    }
}

void job_attend(bool on) {
    interrupted &= !on;
    os2_console_interrupt(services_console(), on ? ctrl_c : 0, on ? BIT_CTRL_C : 0);
}

bool job_interrupted(void) {
    return interrupted;
}

/* Waits until the job has ended. */
static void job_wait(struct job *job) {
    os2_console_interrupt(services_console(), ctrl_c, BIT_CTRL_C); /* it may be another console than before */
    while (job->running) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            continue;
        if (m.control & OS2_I_BITS) {
            job_bits(m.bits);
            if (m.bits & BIT_CTRL_C && !job->interrupted && job->running)
                job_interrupt(job);
        }
        if (m.control & OS2_I_MESSAGE)
            serve(&m);
    }
}

/* Grants a handle minted from another, which is closed again. */
static int grant_minted(struct os2_child *child, const char *name, unsigned source, uint64_t badge, unsigned rights) {
    unsigned handle;
    int status = os2_handle_mint(source, OS2_HANDLE_INBOX, badge, rights | OS2_RIGHT_GIVE, &handle);
    if (status < 0)
        return status;
    status = os2_child_grant(child, name, handle, rights);
    os2_handle_close(handle);
    return status;
}

/* Gives a stage its handles; its neighbours, where it has them, exist already. */
static int stage_grant(struct child *stage, struct child *before, struct child *behind, bool background) {
    const unsigned use = OS2_RIGHT_SEND | OS2_RIGHT_GIVE;
    struct os2_child *child = &stage->process;
    unsigned console = services_console(), names = services_names(), machine = os2_start_handle("machine");
    int status = grant_minted(child, "supervisor", 0, 0, OS2_RIGHT_SEND);

    if (status >= 0 && names)
        status = grant_minted(child, "names", names, OS2_NAMES_ORDINARY, use);
    if (status >= 0 && console)
        status = grant_minted(child, "console.out", console, OS2_CONSOLE_CLIENT, use);
    if (status >= 0 && before)
        status = grant_minted(child, "pipe.in", before->process.control, 0, 0);
    else if (status >= 0 && console && !background)
        status = grant_minted(child, "console.in", console, OS2_CONSOLE_READER, use);
    if (status >= 0 && behind)
        status = grant_minted(child, "pipe.out", behind->process.control, 0, OS2_RIGHT_SEND);
    if (status >= 0 && machine && stage->rights)
        status = os2_child_grant(child, "machine", machine, stage->rights | OS2_RIGHT_GIVE);
    return status;
}

/* Says why a command cannot run, and returns the status for it. */
static uint64_t stage_refused(const char *name, int status, const char *reason) {
    if (status == OS2_FILE_E_NONE) {
        terminal_error("%s: no such program; `help` lists them\n", name);
        return STATUS_NOT_FOUND;
    }
    terminal_error("%s: cannot start: %s\n", name, reason ? reason : os2_status_text(status));
    return STATUS_CANNOT;
}

/* The last part of a path. */
static const char *name_of(const char *path) {
    const char *name = path;
    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

/* Makes the process of a stage. 0, or the status to end with. */
static uint64_t stage_create(unsigned place, const struct expand_stage *stage, uint64_t quota) {
    const char *command = stage->argv[0], *name = name_of(command), *reason = NULL;
    struct child *child = &children[place];
    struct os2_child_plan plan = {
        .process = {
            .quota = quota, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS, .end_bits = UINT64_C(1) << place, .name = name}};
    void *image;
    uint64_t size;
    int status = programs_load(command, &image, &size, &child->rights);

    if (status < 0)
        return stage_refused(command, status, NULL);
    plan.image = image;
    plan.image_size = size;
    status = os2_child_create(&plan, &child->process, &reason);
    os2_block_free(image);
    if (status < 0)
        return stage_refused(command, status, reason);
    child->process.input = stage->input;
    child->process.output = stage->output;
    child->process.append = stage->append;
    child->process.columns = terminal_columns();
    os2_string_copy(child->name, sizeof(child->name), name);
    return 0;
}

/* Notes what the job is for `jobs`. */
static void job_describe(struct job *job, const struct expand_pipeline *pipeline) {
    size_t used = 0;

    for (unsigned s = 0; s < pipeline->stages; s++) {
        for (unsigned i = 0; i < pipeline->stage[s].argc && used + 1 < sizeof(job->text); i++) {
            const char *gap = i ? " " : s ? " | " : "";
            used += format(job->text + used, sizeof(job->text) - used, "%s%s", gap, pipeline->stage[s].argv[i]);
            if (used > sizeof(job->text) - 1)
                used = sizeof(job->text) - 1;
        }
    }
}

/* Finds places for the children of a pipeline. False: there are not enough. */
static bool job_places(unsigned count, unsigned places[PARSE_STAGES]) {
    unsigned found = 0;
    for (unsigned i = 0; i < CHILDREN && found < count; i++)
        if (!children[i].process.control)
            places[found++] = i;
    return found == count;
}

/* Drops the children of a pipeline that could not be started. Returns its status. */
static uint64_t job_undo(struct job *job, const unsigned *places, unsigned count, uint64_t status) {
    for (unsigned i = 0; i < count; i++)
        os2_child_drop(&children[places[i]].process);
    job->running = 0;
    return status;
}

/* Starts all stages. 0, or the status to end with: then none runs. */
static uint64_t job_start(struct job *job, const struct expand_pipeline *pipeline, const unsigned *places) {
    unsigned last = pipeline->stages - 1;
    uint64_t quota = os2_quota_left() / QUOTA_SHARE / pipeline->stages;

    for (unsigned i = 0; i <= last; i++) {
        uint64_t refused = stage_create(places[i], &pipeline->stage[i], quota);
        if (refused)
            return job_undo(job, places, i, refused);
        children[places[i]].job = (unsigned)(job - jobs);
        children[places[i]].last = i == last;
        job->running++;
    }
    for (unsigned i = 0; i <= last; i++) {
        struct child *stage = &children[places[i]];
        int status = stage_grant(stage, i ? &children[places[i - 1]] : NULL, i < last ? &children[places[i + 1]] : NULL,
                                 pipeline->background);
        if (status < 0)
            return job_undo(job, places, last + 1, stage_refused(stage->name, status, NULL));
    }
    for (unsigned i = 0; i <= last; i++) {
        struct child *stage = &children[places[i]];
        int status = os2_child_start(&stage->process, pipeline->stage[i].argc, pipeline->stage[i].argv);
        if (status < 0) {
            const char *reason = status == OS2_E_FULL ? "its arguments are too long" : NULL;
            return job_undo(job, places, last + 1, stage_refused(stage->name, status, reason));
        }
    }
    return 0;
}

uint64_t job_run(const struct expand_pipeline *pipeline) {
    unsigned places[PARSE_STAGES], number = 0;
    uint64_t refused;
    struct job *job;

    while (number < JOBS && jobs[number].running)
        number++;
    if (number == JOBS || !job_places(pipeline->stages, places)) {
        terminal_error("too many jobs; `jobs` lists them\n");
        return STATUS_CANNOT;
    }
    job = &jobs[number];
    *job = (struct job){.background = pipeline->background};
    job_describe(job, pipeline);
    terminal_flush();
    if ((refused = job_start(job, pipeline, places)))
        return refused;
    if (!job->background) {
        job_wait(job);
        return job->status;
    }
    terminal_print("[%u]", number + 1);
    for (unsigned i = 0; i < pipeline->stages; i++)
        terminal_print(" %lu", children[places[i]].process.id & OS2_ID_SLOT_MASK);
    terminal_print("\n");
    return 0;
}

void job_list(void) {
    for (unsigned i = 0; i < JOBS; i++) {
        if (!jobs[i].running)
            continue;
        terminal_print("[%u]", i + 1);
        for (unsigned c = 0; c < CHILDREN; c++)
            if (children[c].process.control && children[c].job == i)
                terminal_print(" %lu", children[c].process.id & OS2_ID_SLOT_MASK);
        terminal_print("  %s\n", jobs[i].text);
    }
}

bool job_kill(unsigned number, bool is_job) {
    bool found = false;

    for (unsigned i = 0; i < CHILDREN; i++) {
        struct child *child = &children[i];
        bool named = is_job ? child->job + 1 == number : (child->process.id & OS2_ID_SLOT_MASK) == number;
        if (child->process.control && named) {
            os2_process_kill(child->process.control);
            found = true;
        }
    }
    return found;
}
