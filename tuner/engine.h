/* The engine's insides, shared by its files:
 *
 *   daemon.c  the turn: assign, commit, act      run.c      a study's life; run_trials.c its
 *                                                           trials, run_next.c which is next
 *   submit.c  how studies come in                segment.c  training from milestone to milestone
 *   origin.c  names and versions                 queue.c    from the queue to work
 *   steer.c   pause, stop, set...                final.c    the winner's training and evaluation
 *   assign.c  who works on what next             fault.c    what goes wrong with a job
 *   slot.c    workers and what they say          record.c, replay.c  a new record, and back
 *   outside.c programs that ask and tell         sweep.c    files left over
 *   disk.c    the quota, and a disk that is full
 *   status.c  how everything stands              settings.c what the home's own file sets
 *   reporter.c  reports of finished studies      event.c    what who watches is told
 *
 * Nobody else includes this, but tests/engine_fixture.h. */
#ifndef TUNER_ENGINE_H
#define TUNER_ENGINE_H

#include "db/store.h"
#include "tuner/child.h"
#include "tuner/daemon.h"
#include "tuner/run.h"

enum { PRIORITY_MOST = 1000, WORKERS_MOST = 1024 };

/* Launchers, one for each trainer command and limits of its workers that are in use. */
struct crew {
    json_t *command;
    struct limits limits;
    struct launcher *launcher;
};

/* Writes the reports of finished studies, one after the other, by a program on the side. */
struct reporter {
    struct child *child;        /* NULL: none is being written */
    json_t *studies;            /* names of those to come, the one being written first */
};

struct disk {
    int64_t quota_bytes;        /* of checkpoints; 0: none */
    int64_t floor_bytes;        /* of free space; -1: the default for this disk */
    int64_t used_bytes;         /* by checkpoints of studies in hand */
    int64_t looked_ms;          /* when free space was looked at last */
    char *waiting;              /* why nothing new is started, or NULL */
    bool full;                  /* the store could not be written: all work has been put down */
    struct timer look_again;
};

struct daemon {
    struct daemon_settings settings;
    struct daemon_events events;
    json_t *untold;             /* events of this turn */
    void (*turned)(void *context);
    void *turned_context;

    struct store *store;
    bool in_transaction;
    char **doomed;              /* checkpoint files to delete after the commit */
    size_t doomed_count;

    struct loop *loop;
    struct limits limits;       /* of every worker, beside those of its study */
    struct crew *crews;
    int crew_count;
    struct slot **slots;        /* [slot_count]; those from `workers` on take no more jobs */
    int slot_count, workers;
    char *unstartable;          /* why no worker can be started for the moment, or NULL */
    struct timer start_again;

    struct run **runs;          /* in the order of submission */
    int run_count;
    struct reporter reporter;

    bool stirred;               /* something was asked for: the next turn does not wait */
    int64_t retry_ms;           /* pause before the first retry */
    int64_t idle_ms;            /* how long a worker may have nothing to do */
    struct disk disk;
    int ending;                 /* 0: no; 1: after the epochs in hand; 2: now */
    bool undone;                /* a study was interrupted */
    struct failure failed;      /* the first failure of a study */
    struct failure broken;      /* ends the daemon: the store or the loop failed */
};

/* ---- daemon.c ---- */

/* Opens the turn's transaction unless it is open; true when recording may go on. */
bool daemon_recording(struct daemon *daemon);
/* The same before something that is asked for, and whose answer promises that it is recorded:
 * -1 with the reason. */
int daemon_may_record(struct daemon *daemon, struct failure *why);
/* Commits what is recorded so far; -1 when that failed, with the reason in daemon->broken. */
int daemon_commit(struct daemon *daemon);
/* The same at the end of something that was asked for: -1 with `why`. */
int daemon_answer(struct daemon *daemon, struct failure *why);
/* No process can be started for now: tries again in a while. */
void daemon_cannot_start(struct daemon *daemon, const char *reason);
/* Deletes a file after the commit. */
void daemon_doom(struct daemon *daemon, const char *path);
/* The study in hand of that name, or NULL. */
struct run *daemon_find(const struct daemon *daemon, const char *study);
struct launcher *daemon_launcher(struct daemon *daemon, const json_t *command,
                                 const struct limits *limits);
/* Makes slots, and has them take jobs, so that there are `count`. */
void daemon_set_workers(struct daemon *daemon, int count);

/* ---- submit.c ---- */

/* Goes on with what an earlier daemon had in hand. */
int submit_wanted(struct daemon *daemon, struct failure *why);
/* Fails, and names the study that is nearest to `name`; -1. */
int submit_unknown(struct daemon *daemon, const char *name, struct failure *why);

/* ---- queue.c ---- */

/* Has the next studies that wait prepared, and begins with those that are. */
void queue_advance(struct daemon *daemon);

/* ---- assign.c ---- */

/* Gives work to idle slots and says for whom empty ones start workers; ends what is over. */
void assign(struct daemon *daemon);

/* ---- reporter.c ---- */

/* Has the report of a finished study written after the commit; until it is, the study is still
 * wanted, so that the next daemon writes it if this one does not come to it. */
void report_later(struct daemon *daemon, const char *study);
/* Whether it is still to come, or being written. */
bool reporter_has(const struct daemon *daemon, const char *study);
/* After the commit: starts the next. */
void reporter_act(struct daemon *daemon);
void reporter_release(struct reporter *reporter);

/* ---- settings.c ---- */

/* <home>/settings.yaml, where there is one; what it does not say is as the daemon was started.
 * -1: it is wrong, and nothing has changed. */
int settings_read(struct daemon *daemon, struct failure *why);

/* ---- steer.c ---- */

/* {"workers", "limits"...} of one study: checked whole, then taken over. */
int steer_set_run(struct run *run, const json_t *settings, struct failure *why);

/* ---- disk.c ---- */

/* A checkpoint was written; its size counts until it is dropped. */
void disk_add(struct run *run, struct trial *trial);
void disk_subtract(struct run *run, struct trial *trial);
/* Over the quota: the worst checkpoints go. */
void disk_keep_quota(struct daemon *daemon);
/* Whether new segments may be started; says so when that changes. */
bool disk_has_room(struct daemon *daemon);
/* The store could not be written for want of room, and has nothing of this turn: all work is
 * put down, to be taken up from the record when there is room again. */
void disk_put_down(struct daemon *daemon);
/* After that: goes on if there is room. */
void disk_take_up(struct daemon *daemon);

/* ---- outside.c ---- */

/* What an outside program had in hand is given out again. */
void outside_take_back(struct slot *slot, const char *reason);

/* ---- event.c ---- */

void event_line(struct daemon *daemon, const struct run *run, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line that somebody should look at. */
void event_warn(struct daemon *daemon, const struct run *run, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void event_state(const struct run *run, const char *state, const char *note);
void event_epoch(const struct slot *slot, const struct message *message);
void event_segment(const struct run *run, const struct job *job, const char *state, double value,
                   const char *reason);
void event_decision(const struct run *run, const struct decision *decision);
void event_fault(const struct slot *slot, const char *kind, const char *reason,
                 const char *action);
/* `error` NULL: the report of a finished study is written. */
void event_report(struct daemon *daemon, const char *study, const char *error);
/* After the commit. */
void event_deliver(struct daemon *daemon);
void event_discard(struct daemon *daemon);

#endif
