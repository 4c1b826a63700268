/* Watching a study that a daemon works on, until it ends. */
#ifndef TUNER_WATCHING_H
#define TUNER_WATCHING_H

#include "tuner/client.h"

struct watching {
    const char *home;
    const char *study;
    bool quiet;  /* says nothing on the way */
    bool json;   /* the result on stdout as JSON */
    bool events; /* every event on stdout as a line of JSON, and no result */
};

/* Says on stderr what there is to say to people, on a terminal with a table of how it stands;
 * in the end the result on stdout, as `tuner run` does.  EXIT_DONE: the study has finished;
 * EXIT_INTERRUPTED: it was stopped, the daemon has ended, or Ctrl-C ended the watching, and
 * it was said how to go on; otherwise the study's failure. */
enum exit_code watch_study(struct client *client, const struct watching *watching,
                           struct failure *why);

#endif
