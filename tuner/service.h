/* `tuner serve`: a daemon that stays, its control socket, its log, and what systemd is told
 * of it. */
#ifndef TUNER_SERVICE_H
#define TUNER_SERVICE_H

#include "tuner/daemon.h"
#include "tuner/detach.h"
#include "tuner/log.h"

struct service_settings {
    struct daemon_settings daemon;
    enum log_format log_format;
    struct detached *detached; /* NULL: in the foreground, logging to stderr */
    const char *log;           /* the file that is stderr, where it is detached */
};

/* Until it is told to end, or fails. */
enum exit_code service_run(const struct service_settings *settings, struct failure *why);

#endif
