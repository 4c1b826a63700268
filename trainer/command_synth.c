#include "trainer/command.h"

#include "common/options.h"
#include "trainer/data_idx.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_IMAGES = 2000000 }; /* as many as one compressed file takes */

static const char about[] =
    "Writes the built-in digits, drawn from pen strokes, as the four compressed IDX files of an "
    "MNIST folder.  The same seed gives the same images; image i is the same however many are "
    "asked for.\n";

static const char examples[] =
    "trainer synth digits                          70,000 images in digits/\n"
    "trainer synth small --train 1000 --test 200   fewer\n"
    "trainer synth other --seed 7                  other images\n";

enum exit_code command_synth(char *const arguments[], struct failure *why)
{
    int64_t training = 60000, test = 10000;
    uint64_t seed = 0;
    const char *folder = NULL;
    const struct option_rule rules[] = {
        {"train", 0, OPTION_INTEGER, &training, 1, MOST_IMAGES, "N",
         "training images (60000)"},
        {"test", 0, OPTION_INTEGER, &test, 1, MOST_IMAGES, "N", "test images (10000)"},
        {"seed", 0, OPTION_SEED, &seed, 0, 0, "N", "what the drawing starts from (0)"},
    };
    const struct options options = {"trainer synth", rules, ARRAY_LENGTH(rules), "FOLDER", 1, 1,
                                    .about = about, .examples = examples};
    if (options_parse(&options, arguments, &folder, NULL, why) != 0)
        return why->code;
    struct dataset *dataset = xcalloc(1, sizeof *dataset);
    data_synthetic_load((size_t)training, (size_t)test, seed, dataset);
    int result = data_idx_write(folder, dataset, why);
    dataset_free(dataset);
    if (result != 0)
        return why->code;
    printf("%s: %lld training and %lld test images of 28x28\n", folder, (long long)training,
           (long long)test);
    return EXIT_DONE;
}
