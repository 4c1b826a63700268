/* From the queue to work: studies are prepared, and begun, as their turn comes. */
#include "tuner/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREPARING_MOST = 2, /* studies that are prepared at a time */
    ACTIVE_LEAST = 8    /* studies that may be worked on, however few workers there are */
};

static void has_prepared(void *context, int status, const char *output, size_t length)
{
    struct run *run = context;
    run->child = NULL;
    if (prepared_parse(output, length, &run->prepared, &run->broken) == 0)
        run->is_prepared = true;
    else if (run->broken.text == NULL)
        fail(&run->broken, "it could not be prepared (wait status %d)", status);
}

/* Asks a trainer about the study's data and network, in a program of its own. */
static void start_preparing(struct run *run)
{
    const struct daemon_settings *settings = &run->daemon->settings;
    const struct child_end end = {has_prepared, run};
    const char *arguments[] = {"prepare", "--home", settings->home, run->study->file,
                               settings->trainer != NULL ? "--trainer" : NULL,
                               settings->trainer, NULL};
    struct failure why = FAILURE_NONE;
    run->child = child_start(run->daemon->loop, arguments, run->study->text,
                             strlen(run->study->text), &end, &why);
    if (run->child == NULL)
        daemon_cannot_start(run->daemon, why.text);
    failure_clear(&why);
}

/* The queued study that comes first. */
static struct run *first_queued(const struct daemon *daemon, bool prepared)
{
    struct run *first = NULL;
    int i;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        bool ready = run->is_prepared || run->study->outside || run->finished;
        if (run->state == RUN_QUEUED && run->broken.text == NULL && run->child == NULL &&
            ready == prepared && (first == NULL || run->priority > first->priority))
            first = run;
    }
    return first;
}

/* Whether one more study of that priority may be prepared: so many are worked on that
 * every worker has its own, unless it comes before one of them. */
static bool is_its_turn(const struct daemon *daemon, const struct run *next)
{
    int i, active = 0, preparing = 0;
    bool before = false;
    for (i = 0; i < daemon->run_count; i++) {
        const struct run *run = daemon->runs[i];
        bool works = run->child != NULL || (run->begun && run->state == RUN_RUNNING &&
                                            !run->study->outside);
        active += works;
        preparing += run->child != NULL;
        before = before || (works && run->priority < next->priority);
    }
    return preparing < PREPARING_MOST &&
           (before || active < ACTIVE_LEAST || active < daemon->workers);
}

static void begin(struct run *run)
{
    if (!run->finished && run_begin(run) != 0)
        return;
    if (run->finished) { /* as it is recorded */
        run->state = RUN_OVER;
        event_state(run, "finished", run->note_before);
    }
}

void queue_advance(struct daemon *daemon)
{
    struct run *run;
    if (daemon->ending > 0 || daemon->disk.full)
        return;
    while (daemon->broken.text == NULL && (run = first_queued(daemon, true)) != NULL)
        begin(run);
    while (daemon->unstartable == NULL && (run = first_queued(daemon, false)) != NULL &&
           is_its_turn(daemon, run))
        start_preparing(run);
}
