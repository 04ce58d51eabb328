/* SPDX-License-Identifier: MIT */
/*
 * The interpreter (shell/run.h): walks over a step's tree, and expands the words of each command at the moment when it
 * runs. A step's tree lives as long as the step runs; what a loop goes over is on the heap.
 *
 * A script runs in the shell itself, not in a process of its own. So `exit` in it ends the script only, and what it has
 * changed is put back behind it; `source` does neither.
 */
#include "shell/run.h"

#include "os2/call.h"
#include "os2/file.h"
#include "os2/heap.h"
#include "os2/string.h"
#include "shell/builtin.h"
#include "shell/job.h"
#include "shell/parse.h"
#include "shell/programs.h"
#include "shell/session.h"
#include "shell/terminal.h"

#define FILES_DEPTH 5u /* of scripts within scripts: the stack has room for no more */

/* How the run goes on after a node. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_EXIT, FLOW_STOP };

static struct expand_pipeline pipeline; /* the one that is being started */
static unsigned files_depth;

static enum flow run_steps(const struct parse_tree *tree, unsigned first);

/* Says what is wrong with a command. */
static enum flow run_wrong(const char *name, const char *reason) {
    terminal_error("%s%s%s\n", name, *name ? ": " : "", reason);
    session.status = STATUS_USAGE;
    return FLOW_ON;
}

/* ---- Words that are commands of the interpreter. ---- */

/* A file's text, which the caller frees; null: what is wrong has been said. */
static char *file_text(const char *path) {
    uint64_t size;
    void *block;
    char *text;
    int status = os2_file_load(path, &block, &size);

    if (status < 0) {
        terminal_error("%s: %s\n", path, os2_status_text(status));
        session.status = 1;
        return NULL;
    }
    text = os2_heap_alloc(size + 1);
    if (text) {
        memcpy(text, block, size);
        text[size] = 0;
    } else {
        run_wrong(path, "there is no memory for it");
    }
    os2_block_free(block);
    return text;
}

/* Runs a file's text. True: `exit` ended it. */
static bool run_file(const char *path) {
    bool ended;
    char *text;

    if (files_depth == FILES_DEPTH) {
        run_wrong(path, "too many scripts within scripts");
        return false;
    }
    text = file_text(path);
    if (!text)
        return false;
    files_depth++;
    ended = run_text(text);
    files_depth--;
    os2_heap_free(text);
    return ended;
}

/* Copies arguments to memory of their own: the pipeline that they come from is used again. Null: there is none. */
static const char **arguments_copy(unsigned argc, const char *const *argv) {
    size_t size = (argc + 1) * sizeof(*argv);
    const char **copy;
    char *text;

    for (unsigned i = 0; i < argc; i++)
        size += strlen(argv[i]) + 1;
    copy = os2_heap_alloc(size);
    if (!copy)
        return NULL;
    text = (char *)(copy + argc + 1);
    for (unsigned i = 0; i < argc; i++) {
        size_t length = strlen(argv[i]) + 1;
        memcpy(text, argv[i], length);
        copy[i] = text;
        text += length;
    }
    copy[argc] = NULL;
    return copy;
}

/* Runs the file argv[0] with these arguments, or with those that there are. True: `exit` ended it. */
static bool run_with(unsigned argc, const char *const *argv, bool own) {
    const char **outer_argv = session.argv;
    unsigned outer_argc = session.argc;
    const char **copy = arguments_copy(argc, argv);
    bool ended = false;

    if (!copy) {
        run_wrong(argv[0], "there is no memory for it");
        return false;
    }
    if (own) {
        session.argc = argc;
        session.argv = copy;
    }
    ended = run_file(copy[0]);
    session.argc = outer_argc;
    session.argv = outer_argv;
    os2_heap_free(copy);
    return ended;
}

void run_script(unsigned argc, const char *const *argv) {
    struct variables *kept = os2_heap_alloc(sizeof(*kept));
    char *folder = os2_heap_alloc(OS2_FILES_PATH);

    if (kept && folder) {
        memcpy(kept, &session.variables, sizeof(*kept));
        os2_string_copy(folder, OS2_FILES_PATH, os2_folder_working());
        run_with(argc, argv, true);
        memcpy(&session.variables, kept, sizeof(*kept));
        os2_folder_change(folder);
    } else {
        run_wrong(argv[0], "there is no memory for it");
    }
    os2_heap_free(kept);
    os2_heap_free(folder);
}

static enum flow run_source(unsigned argc, const char *const *argv) {
    if (argc < 2)
        return run_wrong(argv[0], "which file?");
    return run_with(argc - 1, argv + 1, argc > 2) ? FLOW_EXIT : FLOW_ON;
}

static enum flow run_exit(unsigned argc, const char *const *argv) {
    if (argc > 2 || (argc == 2 && !os2_string_number(argv[1], &session.status)))
        return run_wrong(argv[0], "one number, please");
    return FLOW_EXIT;
}

static bool is_flow(const char *name) {
    static const char *const names[] = {"source", ".", "exit", "break", "continue"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* A command that changes how the run goes on. */
static enum flow run_flow(const struct expand_stage *stage) {
    const char *const *argv = (const char *const *)stage->argv;

    if (stage->input || stage->output)
        return run_wrong(argv[0], "cannot be redirected");
    if (strcmp(argv[0], "source") == 0 || strcmp(argv[0], ".") == 0)
        return run_source(stage->argc, argv);
    if (strcmp(argv[0], "exit") == 0)
        return run_exit(stage->argc, argv);
    return strcmp(argv[0], "break") == 0 ? FLOW_BREAK : FLOW_CONTINUE;
}

/* ---- Pipelines. ---- */

/* Makes, or empties, the file that output goes to; looks whether the input's is there. False: said what is wrong. */
static bool file_ready(const char *path, unsigned flags) {
    struct os2_file file;
    int status = os2_file_open(&file, path, flags);

    if (status >= 0 && file.kind & OS2_FILE_FOLDER) {
        os2_file_close(&file);
        status = OS2_FILE_E_FOLDER;
    }
    if (status < 0) {
        terminal_error("%s: %s\n", path, os2_status_text(status));
        session.status = 1;
        return false;
    }
    os2_file_close(&file);
    return true;
}

static bool files_ready(void) {
    const struct expand_stage *first = &pipeline.stage[0], *last = &pipeline.stage[pipeline.stages - 1];

    for (unsigned i = 0; i < pipeline.stages; i++) {
        const struct expand_stage *stage = &pipeline.stage[i];
        if ((stage->input && stage != first) || (stage->output && stage != last)) {
            run_wrong("", "< belongs to the first command of a pipeline, > to the last");
            return false;
        }
    }
    if (first->input && !file_ready(first->input, OS2_OPEN_READ))
        return false;
    return !last->output ||
           file_ready(last->output, OS2_OPEN_WRITE | OS2_OPEN_CREATE | (last->append ? 0 : OS2_OPEN_TRUNCATE));
}

/* Sets the variables of a command that is nothing else. */
static enum flow run_assign(const struct parse_tree *tree, const struct parse_node *command) {
    struct expand_values values = session_values();

    for (unsigned i = command->word; i < command->word + command->words; i++) {
        const char *text = tree->text + tree->word[i].at;
        const char *reason;
        size_t name;

        if (!parse_assigns(tree, i, &name))
            return run_wrong("", "NAME=value stands alone: a program has no environment");
        pipeline.list.count = 0;
        pipeline.list.used = 0;
        reason = expand_value(text + name + 1, tree->word[i].size - name - 1, &values, &pipeline.list);
        if (!reason && !variables_set(&session.variables, text, name, pipeline.list.words[0]))
            reason = "there is no room for more variables";
        if (reason)
            return run_wrong("", reason);
    }
    session.status = 0;
    return FLOW_ON;
}

/* One of the shell's own commands, whose output may go to a file. */
static void run_builtin(const struct expand_stage *stage) {
    const char *const *argv = (const char *const *)stage->argv;

    if (stage->input) {
        run_wrong(argv[0], "reads no input");
        return;
    }
    if (stage->output && !terminal_redirect(stage->output, stage->append)) {
        session.status = 1;
        return;
    }
    builtin_run(stage->argc, argv, &session.status);
    if (stage->output && !terminal_redirect(NULL, false))
        session.status = 1;
}

/* What a stage alone may be, other than a program. False: it is none of that. */
static bool run_own(const struct expand_stage *stage, enum flow *ret_flow) {
    const char *const *argv = (const char *const *)stage->argv;

    if (stage->argc == 2 && strcmp(argv[1], "--help") == 0 && builtin_help(argv[0]))
        session.status = 0;
    else if (is_flow(argv[0]))
        *ret_flow = run_flow(stage);
    else if (builtin_is(argv[0]))
        run_builtin(stage);
    else if (!programs_is_script(argv[0]))
        return false;
    else if (stage->input || stage->output)
        run_wrong(argv[0], "a script cannot be redirected");
    else
        run_script(stage->argc, argv);
    return true;
}

/* `run NAME`: a program, even one with the name of a command. */
static bool take_run(struct expand_stage *stage) {
    if (stage->argc < 2 || strcmp(stage->argv[0], "run") != 0)
        return false;
    stage->argv++;
    stage->argc--;
    return true;
}

/* What may not stand beside others, or in the background; null: it may. */
static const char *stage_alone(const char *name) {
    if (builtin_is(name))
        return "the shell's own commands run alone and in the foreground";
    return programs_is_script(name) ? "a script runs alone and in the foreground" : NULL;
}

static enum flow run_expanded(void) {
    bool alone = pipeline.stages == 1 && !pipeline.background;
    enum flow flow = FLOW_ON;

    if (!files_ready())
        return FLOW_ON;
    for (unsigned i = 0; i < pipeline.stages; i++) {
        struct expand_stage *stage = &pipeline.stage[i];
        const char *reason;

        if (!stage->argc) {
            session.status = 0;
            return pipeline.stages == 1 ? FLOW_ON : run_wrong("", "no command beside |");
        }
        if (take_run(stage))
            continue;
        if (alone && run_own(stage, &flow))
            return job_interrupted() ? FLOW_STOP : flow;
        reason = alone ? NULL : stage_alone(stage->argv[0]);
        if (reason)
            return run_wrong(stage->argv[0], reason);
    }
    session.status = job_run(&pipeline);
    return job_interrupted() ? FLOW_STOP : FLOW_ON;
}

static enum flow run_pipeline(const struct parse_tree *tree, unsigned place) {
    const struct parse_node *n = &tree->node[place];
    struct expand_values values = session_values();
    const char *reason;
    size_t name;

    for (unsigned i = n->first; i; i = tree->node[i].next) {
        const struct parse_node *command = &tree->node[i];
        if (!command->words || !parse_assigns(tree, command->word, &name))
            continue;
        if (i != n->first || command->next || n->background || command->input.size || command->output.size)
            return run_wrong("", "NAME=value stands alone: a program has no environment");
        return run_assign(tree, command);
    }
    reason = expand_pipeline(tree, place, &values, &pipeline);
    return reason ? run_wrong("", reason) : run_expanded();
}

/* ---- if, while, for. ---- */

/* What a loop's body has said about the loop. False: the loop ends, and *flow is what its own run says. */
static bool loop_goes_on(enum flow *flow) {
    job_poll();
    if (job_interrupted())
        *flow = FLOW_STOP;
    if (*flow == FLOW_BREAK) {
        *flow = FLOW_ON;
        return false;
    }
    if (*flow == FLOW_CONTINUE)
        *flow = FLOW_ON;
    return *flow == FLOW_ON;
}

static enum flow run_while(const struct parse_tree *tree, const struct parse_node *loop) {
    bool wanted = loop->kind == PARSE_WHILE;
    uint64_t status = 0;
    enum flow flow;

    do {
        flow = run_steps(tree, loop->first);
        if (flow != FLOW_ON || (session.status == 0) != wanted)
            break;
        flow = run_steps(tree, loop->second);
        status = session.status;
    } while (loop_goes_on(&flow));
    if (flow == FLOW_ON)
        session.status = status;
    return flow == FLOW_BREAK || flow == FLOW_CONTINUE ? FLOW_ON : flow;
}

/* The words that a loop goes over. Null, or what is wrong. */
static const char *for_words(const struct parse_tree *tree, const struct parse_node *loop, struct expand_list *list) {
    struct expand_values values = session_values();

    list->count = 0;
    list->used = 0;
    if (!loop->own)
        return expand_words(tree, loop->word + 1, loop->words - 1, &values, list);
    for (unsigned i = 1; i < session.argc && list->count < EXPAND_WORDS; i++)
        list->words[list->count++] = session.argv[i];
    return NULL;
}

static enum flow run_for(const struct parse_tree *tree, const struct parse_node *loop) {
    const struct parse_word *name = &tree->word[loop->word];
    struct expand_list *list = os2_heap_alloc(sizeof(*list));
    const char *reason = list ? for_words(tree, loop, list) : "there is no memory for its words";
    enum flow flow = FLOW_ON;

    if (reason) {
        os2_heap_free(list);
        return run_wrong("for", reason);
    }
    session.status = 0;
    for (unsigned i = 0; i < list->count; i++) {
        if (!variables_set(&session.variables, tree->text + name->at, name->size, list->words[i])) {
            flow = run_wrong("for", "there is no room for more variables");
            break;
        }
        flow = run_steps(tree, loop->second);
        if (!loop_goes_on(&flow))
            break;
    }
    os2_heap_free(list);
    return flow;
}

static enum flow run_node(const struct parse_tree *tree, unsigned place);

/* The node `depth` steps down from a chain of && and ||, whose first part is its end. */
static const struct parse_node *joint_at(const struct parse_tree *tree, unsigned place, unsigned depth) {
    while (depth--)
        place = tree->node[place].first;
    return &tree->node[place];
}

static bool is_joint(const struct parse_node *n) {
    return n->kind == PARSE_AND || n->kind == PARSE_OR;
}

/* A chain of && and ||, without a call for each: it may be long. */
static enum flow run_joints(const struct parse_tree *tree, unsigned place) {
    unsigned depth = 0;
    enum flow flow;

    while (is_joint(joint_at(tree, place, depth)))
        depth++;
    flow = run_node(tree, joint_at(tree, place, depth - 1)->first);
    while (depth-- > 0 && flow == FLOW_ON) {
        const struct parse_node *joint = joint_at(tree, place, depth);
        if ((session.status == 0) == (joint->kind == PARSE_AND))
            flow = run_node(tree, joint->second);
    }
    return flow;
}

static enum flow run_node(const struct parse_tree *tree, unsigned place) {
    const struct parse_node *n = &tree->node[place];
    enum flow flow;

    switch (n->kind) {
    case PARSE_PIPELINE:
        return run_pipeline(tree, place);
    case PARSE_NOT:
        flow = run_node(tree, n->first);
        session.status = session.status == 0;
        return flow;
    case PARSE_AND:
    case PARSE_OR:
        return run_joints(tree, place);
    case PARSE_IF:
        flow = run_steps(tree, n->first);
        if (flow != FLOW_ON)
            return flow;
        if (session.status == 0)
            return run_steps(tree, n->second);
        session.status = 0;
        return run_steps(tree, n->third);
    case PARSE_WHILE:
    case PARSE_UNTIL:
        return run_while(tree, n);
    case PARSE_FOR:
        return run_for(tree, n);
    case PARSE_COMMAND:
        break;
    }
    return FLOW_ON;
}

static enum flow run_steps(const struct parse_tree *tree, unsigned first) {
    enum flow flow = FLOW_ON;

    for (unsigned place = first; place && flow == FLOW_ON; place = tree->node[place].next)
        flow = run_node(tree, place);
    return flow;
}

/* ---- Texts. ---- */

bool run_text(const char *text) {
    struct parse_tree *tree = os2_heap_alloc(sizeof(*tree));
    enum parse_result result = PARSE_STEP;
    enum flow flow = FLOW_ON;
    const char *reason = NULL;
    size_t at = 0;

    if (!tree) {
        run_wrong("", "there is no memory for a command");
        return false;
    }
    while (flow != FLOW_EXIT && flow != FLOW_STOP && result == PARSE_STEP) {
        result = parse_next(text, &at, tree, &reason);
        if (result == PARSE_STEP)
            flow = run_node(tree, tree->root);
        else if (result != PARSE_END)
            run_wrong("", reason);
    }
    os2_heap_free(tree);
    return flow == FLOW_EXIT;
}

bool run_wants_more(const char *text) {
    struct parse_tree *tree = os2_heap_alloc(sizeof(*tree));
    enum parse_result result = tree ? PARSE_STEP : PARSE_END;
    const char *reason;
    size_t at = 0;

    while (result == PARSE_STEP)
        result = parse_next(text, &at, tree, &reason);
    os2_heap_free(tree);
    return result == PARSE_MORE;
}
