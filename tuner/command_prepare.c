#include "tuner/command.h"

#include "common/options.h"
#include "tuner/home.h"
#include "tuner/prepare.h"

#include <stdio.h>
#include <stdlib.h>

static const char about[] =
    "What the daemon runs on the side to ask a trainer about a study's data and network: the "
    "study is read from stdin, FILE is where it lies, and the answer is JSON on stdout.\n";

enum { FILE_BYTES_MAX = 1 << 20 };

/* All of stdin, up to one byte more than a study file may have; the caller frees it. */
static char *read_input(size_t *size)
{
    char *bytes = xmalloc(FILE_BYTES_MAX + 2);
    *size = fread(bytes, 1, FILE_BYTES_MAX + 1, stdin);
    bytes[*size] = '\0';
    return bytes;
}

static json_t *answer(const char *file, const char *home, const char *trainer)
{
    struct failure why = FAILURE_NONE;
    struct prepared prepared = {0};
    size_t size;
    char *text = read_input(&size);
    struct study *study = study_parse(file, text, size, &why);
    if (study != NULL)
        prepare(study, home, trainer, PURPOSE_RUN, &prepared, &why);
    study_free(study);
    free(text);
    return prepared_json(&prepared, &why);
}

enum exit_code command_prepare(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *trainer = NULL, *words[1];
    const struct option_rule rules[] = {
        {"home", 0, OPTION_TEXT, &home, 0, 0, "DIR", HOME_OPTION_HELP},
        {"trainer", 0, OPTION_TEXT, &trainer, 0, 0, "PROGRAM", "the trainer to ask"},
    };
    const struct options options = {"tuner prepare", rules, ARRAY_LENGTH(rules), "FILE", 1, 1,
                                    .about = about};
    json_t *body;
    char *path;
    if (options_parse(&options, arguments, words, NULL, why) != 0)
        return why->code;
    path = home_path(home);
    body = answer(words[0], path, trainer);
    json_dumpf(body, stdout, JSON_COMPACT);
    json_decref(body);
    free(path);
    return EXIT_DONE;
}
