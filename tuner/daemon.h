/* The daemon: everything that works in one home folder.  It has the home's store, a number
 * of slots for workers, and any number of studies in hand.  `tuner run` is a daemon with one
 * study that ends with it; `tuner serve` is one that stays.
 *
 * Each turn of the loop: what workers said is recorded in one transaction; free workers get
 * their next segments, recorded in the same one; it is committed; only then is anything said
 * to a worker, deleted, or told to who watches.  A restart replays the record through the
 * same scheduler and sampler and goes on.
 *
 * Free workers go to the study of the highest priority that has anything to do; among equals
 * to the one whose running segments have the fewest cores (one for each of their threads).
 *
 * Calls come from callbacks of the loop (a request that arrived) or before daemon_run().
 * What changes anything is recorded and committed before the call returns. */
#ifndef TUNER_DAEMON_H
#define TUNER_DAEMON_H

#include "tuner/loop.h"
#include "tuner/prepare.h"

#include <jansson.h>

struct daemon;

/* What <home>/settings.yaml says comes before `workers`. */
struct daemon_settings {
    const char *home;     /* absolute, made by the caller (home_make) */
    const char *trainer;  /* of --trainer, or NULL: each study's own, else ours */
    int workers;          /* slots in all; 0: as the first study says, with `stay` one per core */
    bool stay;            /* goes on when nothing is left to do */
};

/* What happens, told to who watches: {"event": WORD, "study": NAME, ...} with
 *   "epoch"     trial, attempt, epoch, metrics
 *   "segment"   trial, rung, state ("ended", "failed", "retry", "interrupted"), value, reason
 *   "decision"  trial, bracket, rung, verdict, rank, reason
 *   "fault"     trial (null: none in hand), worker, kind, reason, action
 *   "state"     state, note: of the study, see below
 *   "report"    error: null when the report of a finished study is written; with `stay` it
 *               follows every "finished"
 *   "line"      text: what there is to say to people; study is null if it is of the daemon;
 *               "warning": true where somebody should look at it
 * Told after the commit that records it, in order; nothing is built when `happened` is NULL.
 * The object is the daemon's: keep a reference, change nothing. */
struct daemon_events {
    void (*happened)(void *context, const json_t *event);
    void *context;
    /* A signal came; the daemon does what it asks of it after this call.  May be NULL. */
    void (*signalled)(void *context, int number);
};

/* A study's states, as recorded and told:
 *
 *   queued ---> running ---> finished
 *     |  ^       |  ^  |---> failed           (its failure budget is spent, or its final failed)
 *     |  |       v  |  |---> stopping ------> interrupted
 *     |  '----- paused |                      (told to stop, or the daemon ended)
 *     '----------------'---> interrupted      (cancelled)
 *
 * "queued": accepted, and not worked on yet (it is prepared, or comes after others).  Submitted
 * again, an interrupted or failed study goes on where it was.  When the daemon ends, what was
 * queued, running or paused is "interrupted"; one that stays goes on with it by itself
 * the next time that it starts, however it ended. */

/* Opens the store (there is one daemon to a home: a second is told whose it is) and takes the
 * loop's signals: INT and TERM end it, once more ends it now; USR1 is daemon_log_state();
 * with `stay` HUP is daemon_reload().  `loop` and the strings of `settings` outlive it. */
struct daemon *daemon_new(struct loop *loop, const struct daemon_settings *settings,
                          const struct daemon_events *events, struct failure *why);
void daemon_free(struct daemon *daemon);

/* Turns the loop until it is told to end, or, without `stay`, no study is left to work on.
 * EXIT_DONE: every study that was worked on has finished, or with `stay` it was told to end;
 * EXIT_INTERRUPTED: something was left undone, everything is recorded; otherwise a study
 * or the daemon itself failed with `why`. */
enum exit_code daemon_run(struct daemon *daemon, struct failure *why);
/* Called before each wait of daemon_run(), for what should be done once a turn. */
void daemon_each_turn(struct daemon *daemon, void (*turned)(void *context), void *context);
/* Tells it to end: the epochs in hand are finished and recorded; `now`: they are not. */
void daemon_end(struct daemon *daemon, bool now);

/* ---- steering: -1 (or NULL) with a message for the user; EXIT_BAD_INPUT is theirs ---- */

struct submission {
    const char *file;      /* path of the study file, for messages and relative paths */
    const char *text;      /* its bytes */
    size_t size;
    const char *name;      /* another name than the file's, or NULL */
    int priority;          /* -1000 to 1000, higher first; default 0 */
    bool fresh;            /* start over under a new name: mnist_2, mnist_3... */
    bool extend;           /* if its settings differ from those recorded: the next version */
    bool any_precision;    /* go on even if this machine trains in another than it began in */
    struct prepared *prepared; /* taken over (and emptied) if it is accepted; NULL: a child
                                  process prepares it meanwhile */
};
/* Accepts a study, new or one to go on with.  *name is what it is called here, which the
 * caller frees: another than the file's after `fresh` and `extend`.
 *
 * A study whose settings differ from those recorded under its name is refused, with the
 * differences; with `extend` it is taken on as the next version, mnist_v2 after mnist, a
 * study of its own that names in `extends` the one before it.  Its trials are its own: of
 * another search space nothing can be compared.  Submitted once more, the newest version
 * with these settings goes on.
 *
 * Refused: a file with errors (as study_parse() says them), a study that is stopping.  One that
 * is in hand with these settings goes on as it does; one that has been finished is told
 * "finished" at once. */
int daemon_submit(struct daemon *daemon, const struct submission *submission, char **name,
                  struct failure *why);

/* `study` NULL: all that are in hand.  A name that is not known is bad input with the nearest
 * one; so is a state that does not allow it, for one study; of all, those are passed over. */
int daemon_pause(struct daemon *daemon, const char *study, struct failure *why);
                                               /* starts nothing new; what runs goes on */
int daemon_resume(struct daemon *daemon, const char *study, struct failure *why);
int daemon_stop(struct daemon *daemon, const char *study, struct failure *why);
                                               /* running segments end, then interrupted */
int daemon_cancel(struct daemon *daemon, const char *study, struct failure *why);
                                               /* ends them now: interrupted */

/* `study` NULL: {"workers": 1..1024, "quota_bytes": 0..} of the daemon.  Of one in hand:
 * {"workers": 0.. (0: no limit), "priority": -1000..1000, "limits": {"minutes", "failures",
 * "retries", "epoch_seconds"}}.  Any other key is refused with the nearest; nothing is
 * changed unless all of it can be.  A limit in epochs cuts the plan, so it is changed
 * by submitting the study again, when it is not in hand. */
int daemon_set(struct daemon *daemon, const char *study, const json_t *settings,
               struct failure *why);

/* New reference.  `study` NULL:
 *   {"home", "pid", "workers", "quota_bytes", "ending": bool, "waiting": null or why nothing
 *    new is started ("the disk has 12 MB left..."), "slots": [slot...], "studies": [study...]}
 * with the studies in hand; of one study {"home", "pid", "slots": those with its jobs,
 * "studies": [it]}, also of one that is only in the store.
 *   slot:  {"worker", "state": "empty" | "starting" | "idle" | "busy" | "ending", "pid" or
 *           null, "study", "trial" (null: no job), "activity": "training" | "final training" |
 *           "final evaluation" | "starting" | "idle", "epoch", "to_epoch", "latest" (value or
 *           null), "parameters"}
 *   study: {"study", "state", "note", "priority", "workers" (0: no limit), "segments": running
 *           now, "waiting": null or why nothing new is started, "metric", "goal",
 *           "trials_planned", "trials_ended", "trials_failed", "epochs_planned",
 *           "epochs_done", "best": null or {"trial", "value", "epochs", "parameters"},
 *           "extends": null or name, "reporting": bool (of one study alone)} */
json_t *daemon_status(struct daemon *daemon, const char *study, struct failure *why);

/* An outside program draws a configuration:
 *   {"study", "trial", "attempt", "parameters", "from_epoch", "to_epoch"}, or
 *   {"wait": true}: nothing before others have told, or {"finished": true}.
 * Told nothing of for the study's `epoch_seconds`, it is given out again. */
json_t *daemon_ask(struct daemon *daemon, const char *study, struct failure *why);
/* `report`: {"trial", "attempt", ...} with
 *   "epoch", "metrics": {name: number or null}  an epoch, in its order, or
 *   "epoch", "value"                            the same with the objective's metric alone;
 *   without "epoch" a value is that of `to_epoch`, and the segment is done
 *   "done": true                                the segment has ended, with the last epoch
 *   "failed": reason                            the trial has failed
 * A report of another attempt than the one in hand is refused; without "attempt" it is of that. */
int daemon_tell(struct daemon *daemon, const char *study, const json_t *report,
                struct failure *why);

/* Reads <home>/settings.yaml again, where there is one; without it, and for what it does not
 * say, it is as the daemon was started.  A file that is wrong changes nothing.
 *   workers, quota_bytes, free_bytes (below so much free space nothing new is started);
 *   memory_megabytes, nice: of each worker of studies that begin from then on. */
int daemon_reload(struct daemon *daemon, struct failure *why);
/* How everything stands, as "line" events. */
void daemon_log_state(struct daemon *daemon);

#endif
