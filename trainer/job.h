/* What a worker works with, and the jobs that it can be given.  A job that fails
 * returns -1 with the failure that is to be answered. */
#ifndef TRAINER_JOB_H
#define TRAINER_JOB_H

#include "trainer/data.h"
#include "trainer/inbox.h"

struct worker {
    int out;
    bool mute; /* an answer could not be written: nobody listens any more */
    struct inbox inbox;
    json_t *data;            /* the `data` that the data set was loaded for, or NULL */
    struct dataset *dataset; /* kept from job to job */
};

/* Says a message and releases it. */
void worker_say(struct worker *worker, json_t *message);
/* The data set of a job's `data`, loaded when it is not the one before's; NULL on failure. */
struct dataset *worker_dataset(struct worker *worker, const json_t *job, struct failure *why);
/* Whether work is to be given up at once: the tuner is gone.  For the `stop` callbacks. */
bool worker_is_abandoned(void *worker);
/* Reads a field of a job; a missing one or one out of range is bad input. */
int job_integer(const json_t *job, const char *name, int64_t low, int64_t high, int64_t *value,
                struct failure *why);

int job_describe(struct worker *worker, const json_t *job, struct failure *why);
int job_run(struct worker *worker, const json_t *job, struct failure *why);
int job_evaluate(struct worker *worker, const json_t *job, struct failure *why);

#endif
