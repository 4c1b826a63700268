#include "trainer/command.h"

#include "common/json_text.h"
#include "common/options.h"
#include "trainer/evaluate.h"
#include "trainer/trained.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct class_count {
    size_t images, correct;
};

static struct class_count *count_classes(const struct image_set *set,
                                         const struct evaluation *evaluation)
{
    struct class_count *counts = xcalloc((size_t)evaluation->classes, sizeof *counts);
    for (size_t i = 0; i < set->count; i++) {
        counts[set->labels[i]].images++;
        counts[set->labels[i]].correct += evaluation->predicted[i] == set->labels[i];
    }
    return counts;
}

static double share(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void print_table(const struct evaluation *evaluation, const struct class_count *counts)
{
    printf("images    %zu\naccuracy  %.4f\nloss      %.4f\n\n", evaluation->count,
           share(evaluation->correct, evaluation->count), evaluation->loss);
    printf("class    images   correct  accuracy\n");
    for (int i = 0; i < evaluation->classes; i++) {
        printf("%5d  %8zu  %8zu  ", i, counts[i].images, counts[i].correct);
        if (counts[i].images > 0)
            printf("%8.4f\n", share(counts[i].correct, counts[i].images));
        else
            printf("%8s\n", "-");
    }
}

static void print_json(const struct evaluation *evaluation, const struct class_count *counts)
{
    json_t *classes = json_array();
    for (int i = 0; i < evaluation->classes; i++)
        json_array_append_new(
            classes, json_pack("{s:i, s:I, s:I, s:o}", "class", i, "images",
                               (json_int_t)counts[i].images, "correct",
                               (json_int_t)counts[i].correct, "accuracy",
                               counts[i].images > 0
                                   ? json_real(share(counts[i].correct, counts[i].images))
                                   : json_null()));
    json_t *loss = json_real(evaluation->loss); /* NULL when it is not finite */
    json_t *answer = json_pack("{s:I, s:f, s:o, s:o}", "images", (json_int_t)evaluation->count,
                               "accuracy", share(evaluation->correct, evaluation->count), "loss",
                               loss ? loss : json_null(), "classes", classes);
    json_text_print(answer);
    json_decref(answer);
}

static void evaluate(struct network *network, const struct image_set *set, bool json)
{
    struct evaluation evaluation;
    evaluate_images(network, set, NULL, NULL, &evaluation);
    struct class_count *counts = count_classes(set, &evaluation);
    if (json)
        print_json(&evaluation, counts);
    else
        print_table(&evaluation, counts);
    free(counts);
    evaluation_release(&evaluation);
}

static int parse(char *const arguments[], struct trained_request *request, bool *json,
                 struct failure *why)
{
    struct option_rule rules[TRAINED_RULES + 2] = {
        {"data", 0, OPTION_TEXT, &request->data, 0, 0, "mnist|synthetic|PATH",
         "the data set; a PATH has IDX, CSV, npz, PNG or CIFAR-10 files"},
        {"json", 0, OPTION_FLAG, json, 0, 0, NULL, "as JSON"},
    };
    trained_rules(request, rules + 2);
    const struct options options = {
        "trainer evaluate", rules, ARRAY_LENGTH(rules), "MODEL", 1, 1,
        .usage = "MODEL --data mnist|synthetic|PATH [OPTIONS]\n",
        .about = "Measures a saved network on the test images of a data set: accuracy, loss, and "
                 "the accuracy on each class.\n",
        .examples = "trainer evaluate model.ckpt --data mnist\n"
                    "trainer evaluate model.ckpt --data digits/ --json\n"};
    int parsed = options_parse(&options, arguments, &request->model, NULL, why);
    if (parsed == 0 && !request->data)
        return fail_usage(why, "say --data mnist, --data synthetic or --data PATH");
    return parsed;
}

enum exit_code command_evaluate(char *const arguments[], struct failure *why)
{
    struct trained_request request = {.threads = 1};
    struct trained trained = {0};
    bool json = false;
    if (parse(arguments, &request, &json, why) == 0 &&
        trained_load(&request, &trained, why) == 0)
        evaluate(trained.network, &trained.dataset->test, json);
    trained_release(&trained);
    return why->code;
}
