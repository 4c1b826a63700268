#include "trainer/command.h"

#include "common/json_text.h"
#include "common/member.h"
#include "common/options.h"
#include "trainer/bench.h"
#include "trainer/bf16.h"
#include "trainer/describe.h"

#include <stdio.h>
#include <stdlib.h>

static const char about[] =
    "Measures, on one thread, how fast this machine multiplies matrices (sgemm of OpenBLAS, "
    "2048 x 2048 x 2048) and how fast it trains and evaluates networks on drawn digits: short "
    "epochs of whole batches, with the shuffling and the optimizer's steps.  The measurements "
    "take turns for some seconds, and the best of each counts, so that other work on the machine "
    "spoils them less.\n"
    "\n"
    "  small          conv 32 of 3x3, max_pool 2, conv 64 of 3x3, max_pool 2,\n"
    "                 dense 128, dense 10\n"
    "  vgg            two conv 32 of 5x5, max_pool 2, two conv 64 of 3x3, max_pool 2,\n"
    "                 dense 256, dense 10; padding same\n"
    "  small+dropout  small with a dropout before each dense layer, 0.25 and 0.5;\n"
    "                 so small+augmentation with images moved, turned, zoomed and\n"
    "                 sheared, small+batch_norm with one behind each conv,\n"
    "                 small+all with all three\n"
    "\n"
    "with relu between, adam, and batches of 64; and the network of each study in search_spaces/, "
    "at the middle of its ranges.  Each in fp32, and trained in bf16 too where the processor has "
    "instructions for it.  The ratio is that of useful FLOP/s to sgemm's.  Useful are the forward "
    "pass, and in training the gradients of the weights and of each layer's input, but for the "
    "first layer's input, which nobody needs.\n";

static void print_row(const json_t *row)
{
    printf("%-18s  %-9s  %8.0f  %7.1f%%  %8.0f  %7.1f%%\n",
           member_text(row, "network"), member_text(row, "precision"),
           member_number(row, "train_images_per_s"), 100 * member_number(row, "sgemm_ratio"),
           member_number(row, "eval_images_per_s"), 100 * member_number(row, "eval_sgemm_ratio"));
}

static void print_table(const json_t *rows)
{
    char *arithmetic = describe_arithmetic(bf16_kernels() ? PRECISION_BF16 : PRECISION_FP32);
    printf("%s, one thread; sgemm %d x %d x %d: %.1f GFLOP/s\n\n", arithmetic, BENCH_SIDE, BENCH_SIDE, BENCH_SIDE,
           member_number(json_array_get(rows, 0), "sgemm_gflops"));
    printf("                               train              evaluate\n"
           "network             precision  images/s  of sgemm  images/s  of sgemm\n");
    for (size_t i = 0; i < json_array_size(rows); i++)
        print_row(json_array_get(rows, i));
    free(arithmetic);
}

enum exit_code command_bench(char *const arguments[], struct failure *why)
{
    bool json = false;
    int64_t seconds = 20;
    const struct option_rule rules[] = {
        {"seconds", 0, OPTION_INTEGER, &seconds, 0, 3600, "N",
         "measure for so long, two turns at least (default 20)"},
        {"json", 0, OPTION_FLAG, &json, 0, 0, NULL,
         "a list of objects: network, precision, train_images_per_s, eval_images_per_s, "
         "sgemm_ratio (of training), eval_sgemm_ratio, sgemm_gflops"},
    };
    const struct options options = {
        "trainer bench", rules, ARRAY_LENGTH(rules), NULL, 0, 0, .about = about,
        .examples = "trainer bench\ntrainer bench --json | jq '.[].train_images_per_s'\n"};
    if (options_parse(&options, arguments, NULL, NULL, why) != 0)
        return why->code;
    json_t *rows = bench_measure((double)seconds, why);
    if (rows && json)
        json_text_print(rows);
    else if (rows)
        print_table(rows);
    json_decref(rows);
    return why->code;
}
