/* The daemon: everything that works in one home folder.  It owns the store, the workers
 * and any number of studies at once.  `tuner serve` is a daemon that stays and can be
 * talked to (tuner/control.h); `tuner run` is one with a single study, in the foreground. */
#ifndef TUNER_DAEMON_H
#define TUNER_DAEMON_H

#include "tuner/loop.h"

#include <jansson.h>

struct daemon;

struct daemon_settings {
    const char *home;      /* absolute, made by the caller (home_make) */
    const char *trainer;   /* --trainer, or NULL: each study's own, else the program beside the tuner */
    int workers;           /* slots in all; 0: as the first study says (run), one per core (serve) */
    bool any_precision;
    bool stay;             /* serve: goes on when nothing is left to do */
    int64_t quota_bytes;   /* of checkpoints; 0: none */
};

/* What happens, for who watches, as docs/control.md has it: {"event", "study", ...}.
 * Delivered after the commit that records it, in order. */
struct daemon_events {
    void (*happened)(void *context, const json_t *event);
    void *context;
};

struct daemon *daemon_new(struct loop *loop, const struct daemon_settings *settings,
                          const struct daemon_events *events, struct failure *why);
void daemon_free(struct daemon *daemon);
/* Turns the loop until it is told to end; or, without `stay`, no study is left to work on. */
enum exit_code daemon_run(struct daemon *daemon, struct failure *why);

struct submission {
    const char *file;      /* path of the study file, absolute: for messages and the paths in it */
    const char *text;      /* its content */
    size_t size;
    const char *name;      /* another name than the file's, or NULL */
    int priority;          /* higher first; default 0 */
    bool fresh, extend, any_precision;
};
/* Accepts a study, which is then prepared and worked on; *name is what it is called (the
 * caller frees it).  Errors as study_parse's. */
int daemon_submit(struct daemon *daemon, const struct submission *submission, char **name,
                  struct failure *why);

/* Each is recorded.  `study` NULL: all of them.  An unknown study, or one in a state that
 * does not allow it, is bad input. */
int daemon_pause(struct daemon *daemon, const char *study, struct failure *why);
int daemon_resume(struct daemon *daemon, const char *study, struct failure *why);
int daemon_stop(struct daemon *daemon, const char *study, struct failure *why);
int daemon_cancel(struct daemon *daemon, const char *study, struct failure *why);
/* {"workers"} of the daemon; {"workers", "priority", "limits": {"epochs", "minutes"}} of a study. */
int daemon_set(struct daemon *daemon, const char *study, const json_t *settings,
               struct failure *why);
/* As docs/control.md has it; new references. */
json_t *daemon_status(struct daemon *daemon, const char *study, struct failure *why);
json_t *daemon_ask(struct daemon *daemon, const char *study, struct failure *why);
int daemon_tell(struct daemon *daemon, const char *study, const json_t *report,
                struct failure *why);

/* Running segments end first; or `now`. */
void daemon_end(struct daemon *daemon, bool now);
/* Reads <home>/settings.yaml again. */
int daemon_reload(struct daemon *daemon, struct failure *why);
/* The state of everything, as "line" events. */
void daemon_log_state(struct daemon *daemon);

#endif
