/* SPDX-License-Identifier: MIT */
/*
 * Pipelines of processes.
 */
#ifndef SHELL_JOB_H
#define SHELL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "shell/expand.h"

#define STATUS_USAGE 2u /* the command line is wrong */

void job_init(void);

/* Starts the pipeline, and waits for it unless it goes to the background. Returns its status. */
uint64_t job_run(const struct expand_pipeline *pipeline);

/* From now on ^C is not input, but ends what runs in the foreground; false: it is input again. */
void job_attend(bool on);
bool job_interrupted(void); /* it came since then; job_poll() looks */

/* Takes notice of children that have ended; never waits. Says so for jobs in the background. */
void job_poll(void);
void job_list(void);

/* Ends the job %N, or the child in process slot N. False: there is none. */
bool job_kill(unsigned number, bool is_job);

#endif
