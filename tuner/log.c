#include "tuner/log.h"

#include "common/json_text.h"
#include "common/options.h"
#include "common/text.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct log {
    enum log_format format;
    int fd;
    int left_out; /* lines since the last one that there was room for */
    bool cut;     /* a part of the last of them was written */
};

/* ---- which format ---- */

/* $JOURNAL_STREAM is "<device>:<inode>" of what systemd connected to the journal; a program
 * whose stderr was redirected since has the variable still. */
static bool is_journal(const char *stream, int fd)
{
    unsigned long long device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

int log_choose(const char *word, const char *stream, int fd, enum log_format *format,
               struct failure *why)
{
    static const char *const words[] = {"text", "json"};
    if (word == NULL)
        *format = is_journal(stream, fd) ? LOG_JOURNAL : LOG_TEXT;
    else if (strcmp(word, "text") == 0)
        *format = LOG_TEXT;
    else if (strcmp(word, "json") == 0)
        *format = LOG_JSON;
    else
        return options_unknown(why, "log format", word, OPTIONS_HELP_SHOWS, words,
                               ARRAY_LENGTH(words));
    return 0;
}

struct log *log_new(enum log_format format, int fd)
{
    struct log *log = xcalloc(1, sizeof *log);
    log->format = format;
    log->fd = fd;
    return log;
}

void log_free(struct log *log)
{
    free(log);
}

/* ---- a line ---- */

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARNING:
        return "warning";
    case LOG_NOTICE:
        return "notice";
    case LOG_INFORMATION:
        break;
    }
    return "info";
}

static bool has_room(const struct log *log)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

/* Writes what there is room for: a pipe that is ready to be written takes PIPE_BUF bytes, and
 * might keep us waiting for more. */
static size_t write_ready(struct log *log, const char *bytes, size_t size)
{
    size_t written = 0;
    while (written < size && has_room(log)) {
        size_t piece = size - written < PIPE_BUF ? size - written : PIPE_BUF;
        ssize_t count = write(log->fd, bytes + written, piece);
        if (count <= 0)
            break;
        written += (size_t)count;
    }
    return written;
}

/* What cannot be written is nothing to fail for: the record is the database.  The line after
 * one that was cut off begins anew. */
static void put(struct log *log, const struct text *line)
{
    size_t written;
    if (log->cut && write_ready(log, "\n", 1) == 1)
        log->cut = false;
    written = log->cut ? 0 : write_ready(log, line->at, line->length);
    log->left_out += written < line->length;
    log->cut = log->cut || (written > 0 && written < line->length);
}

static void add_local_time(struct text *line)
{
    time_t now = time(NULL);
    struct tm parts;
    char shown[32];
    localtime_r(&now, &parts);
    strftime(shown, sizeof shown, "%Y-%m-%d %H:%M:%S", &parts);
    text_add(line, shown);
}

static void put_line(struct log *log, enum log_level level, const char *study, const char *said,
                     size_t length)
{
    struct text line = TEXT_EMPTY;
    char *shown = xstrndup(said, length);
    make_visible(shown);
    if (log->format == LOG_JOURNAL) {
        text_addf(&line, "<%d>", (int)level);
    } else {
        add_local_time(&line);
        text_addf(&line, " %-7s ", level_name(level));
    }
    if (study != NULL)
        text_addf(&line, "%s: ", study);
    text_addf(&line, "%s\n", shown);
    put(log, &line);
    text_free(&line);
    free(shown);
}

static void put_lines(struct log *log, enum log_level level, const char *study, const char *said)
{
    while (*said != '\0') {
        size_t length = strcspn(said, "\n");
        put_line(log, level, study, said, length);
        said += length + (said[length] == '\n');
    }
}

/* ---- an object ---- */

static json_t *time_json(void)
{
    int64_t now_ms = clock_wall_ms();
    time_t now = (time_t)(now_ms / 1000);
    struct tm parts;
    char shown[32];
    gmtime_r(&now, &parts);
    strftime(shown, sizeof shown, "%Y-%m-%dT%H:%M:%S", &parts);
    return json_sprintf("%s.%03dZ", shown, (int)(now_ms % 1000));
}

/* `fields` follow the time and the level; the reference is taken. */
static void put_object(struct log *log, enum log_level level, json_t *fields)
{
    json_t *object = json_pack("{s: o, s: s}", "time", time_json(), "level", level_name(level));
    char *dumped;
    struct text line = TEXT_EMPTY;
    json_object_update(object, fields);
    dumped = json_text(object);
    text_addf(&line, "%s\n", dumped);
    put(log, &line);
    free(dumped);
    text_free(&line);
    json_decref(object);
    json_decref(fields);
}

/* ---- saying ---- */

static void say(struct log *log, enum log_level level, const char *study, const char *said)
{
    json_t *fields;
    if (log->format != LOG_JSON) {
        put_lines(log, level, study, said);
        return;
    }
    fields = json_object();
    if (study != NULL)
        json_object_set_new(fields, "study", json_string(study));
    json_object_set_new(fields, "text", json_text_of(said));
    put_object(log, level, fields);
}

static void say_left_out(struct log *log)
{
    char shown[80];
    if (log->left_out == 0 || !has_room(log))
        return;
    snprintf(shown, sizeof shown, "%d line%s left out: nobody read them", log->left_out,
             log->left_out == 1 ? " was" : "s were");
    log->left_out = 0;
    say(log, LOG_WARNING, NULL, shown);
}

void log_say(struct log *log, enum log_level level, const char *study, const char *format, ...)
{
    va_list arguments;
    char *said;
    va_start(arguments, format);
    said = xvasprintf(format, arguments);
    va_end(arguments);
    say_left_out(log);
    say(log, level, study, said);
    free(said);
}

/* ---- events ---- */

static const char *field(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    return text != NULL ? text : "";
}

static enum log_level event_level(const json_t *event)
{
    const char *kind = field(event, "event"), *state = field(event, "state");
    if (strcmp(kind, "report") == 0 && *field(event, "error") != '\0')
        return LOG_ERROR;
    if (strcmp(kind, "fault") == 0 || json_is_true(json_object_get(event, "warning")))
        return LOG_WARNING;
    if (strcmp(kind, "state") == 0)
        return strcmp(state, "failed") == 0 ? LOG_ERROR : LOG_NOTICE;
    return LOG_INFORMATION;
}

/* A "line" says for people what other events say for programs, but for state and report. */
void log_event(struct log *log, const json_t *event)
{
    const char *kind = field(event, "event"), *note = field(event, "note");
    const char *study = json_string_value(json_object_get(event, "study"));
    enum log_level level = event_level(event);
    if (log->format == LOG_JSON) {
        say_left_out(log);
        put_object(log, level, json_copy((json_t *)(uintptr_t)event));
    } else if (strcmp(kind, "line") == 0) {
        log_say(log, level, study, "%s", field(event, "text"));
    } else if (strcmp(kind, "state") == 0) {
        log_say(log, level, study, "%s%s%s", field(event, "state"), *note != '\0' ? ": " : "",
                note);
    } else if (strcmp(kind, "report") == 0) {
        log_say(log, level, study, "%s", level == LOG_ERROR ? field(event, "error")
                                                            : "its report is written");
    }
}
