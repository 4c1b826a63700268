/* The daemon's log: one line for each thing said, on a descriptor.
 *
 *   text     2026-11-21 02:44:09 warning quickstart: trial 3 ...   (local time)
 *   journal  <4>quickstart: trial 3 ...        priorities as in sd-daemon(3)
 *   json     {"time": "2026-11-21T02:44:09.120Z", "level": "warning", "study": ..., "text": ...}
 *
 * A reader that does not read never stops the daemon: lines that there is no room for are
 * left out or cut off, and counted. */
#ifndef TUNER_LOG_H
#define TUNER_LOG_H

#include "common/base.h"

#include <jansson.h>

enum log_format { LOG_TEXT, LOG_JOURNAL, LOG_JSON };
/* The numbers are those of syslog(3). */
enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFORMATION = 6 };

struct log;

/* "text" or "json"; NULL: `stream` (the value of $JOURNAL_STREAM, or NULL) says whether `fd`
 * is the journal's, else text.  A usage failure for another word. */
int log_choose(const char *word, const char *stream, int fd, enum log_format *format,
               struct failure *why);

struct log *log_new(enum log_format format, int fd);
void log_free(struct log *log);

/* `study` NULL: of the daemon itself.  Lines of a text that has several each become one;
 * characters that would steer a terminal are shown as '?'. */
void log_say(struct log *log, enum log_level level, const char *study, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* An event (tuner/daemon.h): for people what is worth a line, as JSON all of it. */
void log_event(struct log *log, const json_t *event);

#endif
