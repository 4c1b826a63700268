#include "trainer/command.h"

#include "common/commands.h"
#include "common/program.h"
#include "trainer/blas_core.h"
#include "trainer/floats.h"
#include "trainer/isa.h"
#include "trainer/winograd.h"

#include <signal.h>
#include <stdio.h>

static const struct command list[] = {
    {"train", command_train, "CONFIG.json",
     "trains a network; `tuner check FILE --trial 0` prints a CONFIG", NULL},
    {"evaluate", command_evaluate, "MODEL",
     "measures a saved network on the test images of a data set", NULL},
    {"predict", command_predict, "MODEL", "classifies images", NULL},
    {"summary", command_summary, "FILE", "describes a saved network or a CONFIG", NULL},
    {"export", command_export, "MODEL", "writes a saved network for other programs", NULL},
    {"synth", command_synth, "FOLDER", "writes the built-in digits as IDX files", NULL},
    {"worker", command_worker, "", "serves a tuner on stdin and stdout (docs/protocol.md)", NULL},
    {"bench", command_bench, "", "measures how fast this machine trains", NULL},
};

static const struct commands_variable variables[] = {
    {"TRAINER_ISA", "the kernels to use: auto, portable, avx2, avx512 or neon"},
    {"TRAINER_CONV", "auto, or direct: fp32 convolutions without Winograd's transforms"},
    {"OPENBLAS_CORETYPE", "OpenBLAS's kernels, such as Haswell; without it, those that suit the "
                          "processor"},
    {"TUNER_HOME", "where data sets are looked for, in its `data`; `./tuning` if it is not set"},
    {"MNIST_DIR", "a folder with the files of MNIST, which goes before that"},
};

static const struct commands commands = {
    .program = "trainer",
    .version = TRAINER_VERSION,
    .summary = "trains convolutional networks on a processor's cores",
    .about =
        "Trains, measures and describes networks that classify images.  It is the worker that "
        "tuner(1) launches, and works alone too.\n",
    .examples =
        "trainer train config.json --data mnist --epochs 5   train a network\n"
        "trainer evaluate model.ckpt --data mnist            its test accuracy\n"
        "trainer predict model.ckpt --data mnist --index 7   what is test image 7?\n"
        "trainer summary config.json                         layers, shapes, parameters\n"
        "trainer synth digits                                a data set of drawn digits\n",
    .list = list,
    .count = ARRAY_LENGTH(list),
    .notes = "Every command explains itself: trainer train --help.\n"
             "TRAINER_ISA=auto|portable|avx2|avx512|neon in the environment chooses the kernels,\n"
             "TRAINER_CONV=direct has fp32 convolutions done without Winograd's transforms.\n",
    .variables = variables,
    .variable_count = ARRAY_LENGTH(variables),
    .exit_codes = "0 done, 1 failed, 64 wrong usage, 65 bad input, 71 out of memory, "
                  "130 interrupted",
    .see_also = "tuner",
};

static enum exit_code run(char *const arguments[], struct failure *why)
{
    if (isa_check(why) < 0 || winograd_check(why) < 0)
        return EXIT_BAD_USAGE;
    return commands_run(&commands, arguments, why);
}

int main(int count, char *arguments[])
{
    struct failure why = FAILURE_NONE;
    program_begin();
    blas_core_choose(arguments);
    floats_flush_tiny();
    message_program("trainer");
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of its write */
    enum exit_code code = count > 0 ? run(arguments + 1, &why) : EXIT_BAD_USAGE;
    if (code != EXIT_DONE && why.text)
        message(why.where ? "%s (at %s)" : "%s", why.text, why.where);
    failure_clear(&why);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_DONE) {
        message("the results could not be written to stdout");
        code = EXIT_FAILED;
    }
    return (int)code;
}
