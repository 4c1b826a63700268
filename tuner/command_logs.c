/* logs: what the daemon of a home and its workers have said. */
#include "tuner/command.h"

#include "common/file.h"
#include "common/options.h"
#include "tuner/home.h"
#include "tuner/name.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_AGAIN_US = 200000 };

static const char about[] =
    "Shows the log of the home's daemon, or of one of its workers.  A daemon that was not started "
    "with --detach logs to its terminal, or under systemd to the journal: journalctl --user-unit "
    "tuner.\n";

static const char examples[] =
    "tuner logs --follow\n"
    "tuner logs quickstart          what is of that study\n"
    "tuner logs --worker 3          what worker 3 said on its stderr\n";

/* A log that is shown as it grows. */
struct reading {
    const char *path;
    const char *study; /* NULL: every line */
    bool of_worker;
    FILE *file;
    char *line;
    size_t capacity;
};

/* Lines of text have the study after the date, the time and the level. */
static bool is_of_study(const char *line, const char *study)
{
    int begin = 0;
    size_t length = strlen(study);
    json_t *object = *line == '{' ? json_loads(line, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(object, "study"));
    bool same = name != NULL && strcasecmp(name, study) == 0;
    json_decref(object);
    if (*line == '{')
        return same;
    (void)sscanf(line, "%*s %*s %*s %n", &begin);
    return begin > 0 && strncasecmp(line + begin, study, length) == 0 &&
           line[begin + (int)length] == ':';
}

/* Shows the whole lines that are there; the beginning of one is left for later. */
static void show_lines(struct reading *reading)
{
    for (;;) {
        long begin = ftell(reading->file);
        ssize_t length = getline(&reading->line, &reading->capacity, reading->file);
        if (length <= 0 || reading->line[length - 1] != '\n') {
            fseek(reading->file, begin, SEEK_SET);
            break;
        }
        if (reading->study == NULL || is_of_study(reading->line, reading->study))
            fputs(reading->line, stdout);
    }
    fflush(stdout);
}

static bool was_replaced(const struct reading *reading)
{
    struct stat there, ours;
    return stat(reading->path, &there) == 0 && fstat(fileno(reading->file), &ours) == 0 &&
           (there.st_ino != ours.st_ino || there.st_size < ftell(reading->file));
}

static int open_log(struct reading *reading, struct failure *why)
{
    if (reading->file != NULL)
        fclose(reading->file);
    reading->file = fopen(reading->path, "re");
    if (reading->file != NULL)
        return 0;
    if (errno == ENOENT && reading->of_worker)
        return fail_input(why, "there is no log %s; workers have numbers from 0 on, and a log once "
                               "they have said something", reading->path);
    if (errno == ENOENT)
        return fail_input(why, "there is no log %s; a daemon that was not started with --detach "
                               "logs to its terminal or to the journal", reading->path);
    return fail_input(why, "%s: cannot be read: %s", reading->path, strerror(errno));
}

static enum exit_code show(struct reading *reading, bool follow, struct failure *why)
{
    int failed = open_log(reading, why);
    if (failed == 0)
        show_lines(reading);
    while (failed == 0 && follow && !ferror(stdout)) {
        usleep(LOOK_AGAIN_US);
        if (was_replaced(reading))
            failed = open_log(reading, why);
        if (failed == 0)
            show_lines(reading);
    }
    if (reading->file != NULL)
        fclose(reading->file);
    free(reading->line);
    return why->code;
}

static char *log_path(const char *home, int64_t worker)
{
    char *path = home_path(home), *folder = path_join(path, "logs"), *log;
    log = worker < 0 ? path_join(folder, "daemon.log")
                     : xasprintf("%s/worker-%lld.log", folder, (long long)worker);
    free(folder);
    free(path);
    return log;
}

enum exit_code command_logs(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *words[1] = {NULL};
    int64_t worker = -1;
    bool follow = false;
    const struct option_rule rules[] = {
        {"worker", 0, OPTION_INTEGER, &worker, 0, 100000, "N", "the log of this worker"},
        {"follow", 'f', OPTION_FLAG, &follow, 0, 0, NULL,
         "goes on with what is added, until Ctrl-C"},
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    const struct options options = {"tuner logs", rules, ARRAY_LENGTH(rules), "STUDY", 0, 1,
                                    .about = about, .examples = examples};
    struct reading reading;
    char *path;
    enum exit_code code;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    if (words[0] != NULL && (worker >= 0 || !name_is_valid(words[0]))) {
        fail_usage(why, worker >= 0 ? "a worker's log is not of one study: leave out '%s'"
                                    : "'%s' is no name of a study", words[0]);
        return EXIT_BAD_USAGE;
    }
    path = log_path(home, worker);
    reading = (struct reading){.path = path, .study = words[0], .of_worker = worker >= 0};
    code = show(&reading, follow, why);
    free(path);
    return code;
}
