#include "trainer/command.h"

#include "common/options.h"
#include "trainer/isa.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum exit_code (*run)(char *const arguments[], struct failure *why);
} commands[] = {
    {"train", command_train},     {"evaluate", command_evaluate}, {"predict", command_predict},
    {"summary", command_summary}, {"synth", command_synth},       {"worker", command_worker},
    {"bench", command_bench},     {"export", command_export},
};

static const char help[] =
    "Examples:\n"
    "  trainer train config.json --data mnist --epochs 5    train one network and save it\n"
    "  trainer evaluate model.ckpt --data mnist             accuracy on the test images\n"
    "  trainer predict model.ckpt --data mnist --index 7    what it takes test image 7 for\n"
    "  trainer summary config.json                          layers, shapes, parameters\n"
    "  trainer synth digits                                 write a data set of drawn digits\n"
    "\n"
    "Usage: trainer COMMAND [OPTIONS] ...\n"
    "\n"
    "  train CONFIG.json  trains a network; `tuner check STUDY.yaml --trial 0` prints a CONFIG\n"
    "  evaluate MODEL     measures a saved network on the test images of a data set\n"
    "  predict MODEL      classifies images\n"
    "  summary FILE       describes a saved network or a CONFIG\n"
    "  export MODEL       writes a saved network for other programs\n"
    "  synth FOLDER       writes the built-in digits as IDX files\n"
    "  worker             serves a tuner on stdin and stdout (docs/protocol.md)\n"
    "  bench              measures how fast this machine trains\n"
    "\n"
    "Every command explains itself: trainer train --help.\n"
    "TRAINER_ISA=auto|portable|avx2|avx512|neon in the environment chooses the kernels.\n"
    "Exit codes: 0 done, 1 failed, 64 wrong usage, 65 bad input, 71 out of memory,\n"
    "130 interrupted.\n";

static enum exit_code unknown(const char *word, struct failure *why)
{
    const char *names[ARRAY_LENGTH(commands)];
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        names[i] = commands[i].name;
    options_unknown(why, "command", word, names, ARRAY_LENGTH(names));
    return EXIT_BAD_USAGE;
}

static enum exit_code dispatch(char *const arguments[], struct failure *why)
{
    const char *name = arguments[0];
    if (isa_check(why) < 0)
        return EXIT_BAD_USAGE;
    if (!name) {
        fputs(help, stderr);
        return EXIT_BAD_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        puts("trainer " TRAINER_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(arguments + 1, why);
    }
    return unknown(name, why);
}

int main(int count, char *arguments[])
{
    struct failure why = FAILURE_NONE;
    message_program("trainer");
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of its write */
    enum exit_code code = count > 0 ? dispatch(arguments + 1, &why) : EXIT_BAD_USAGE;
    if (code != EXIT_DONE && why.text)
        message(why.where ? "%s (at %s)" : "%s", why.text, why.where);
    failure_clear(&why);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_DONE) {
        message("the results could not be written to stdout");
        code = EXIT_FAILED;
    }
    return (int)code;
}
