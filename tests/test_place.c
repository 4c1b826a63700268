#include "tuner/place.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "study: s\n"                                       /* 1 */
                           "data: {dataset: synthetic}\n"
                           "model:\n"
                           "  - conv: {filters: 8, kernel: 3}\n"
                           "  - residual:\n"                                   /* 5 */
                           "    - batch_norm\n"
                           "    - conv:\n"
                           "        filters: 8\n"
                           "        stryde: 1\n"
                           "    - residual: {layers: [relu, {dropout: 0.5}]}\n" /* 10 */
                           "  - dense: classes\n"
                           "training:\n"
                           "  optimizer: {type: adam, learning_rate: 1e-3, rho: 1}\n"
                           "  learning_rate_schedule: linear\n"
                           "  early_stopping: 5\n"                             /* 15 */
                           "  augmentation: {shift: 2, flip: 1}\n"
                           "  wrong: {a: {b: 1}}\n";

static void assert_places(const char *const (*cases)[2], size_t count)
{
    struct yaml *document = yaml_parse("f", text, strlen(text), NULL);
    assert_non_null(document);
    for (size_t i = 0; i < count; i++) {
        const struct yaml *node = place_find(document, cases[i][0]);
        char *found = xasprintf("%d:%d", node->line, node->column);
        if (strcmp(found, cases[i][1]) != 0) {
            fail_msg("%s: %s instead of %s", cases[i][0], found, cases[i][1]);
        }
        free(found);
    }
    yaml_tree_free(document);
}

static void layers_are_found_at_any_depth(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"model", "4:3"},
        {"model[0].kernel", "4:32"},
        {"model[1]", "5:5"},
        {"model[1].layers", "6:5"},
        {"model[1].layers[0]", "6:7"},
        {"model[1].layers[0].momentum", "6:7"},
        {"model[1].layers[1].filters", "8:18"},
        {"model[1].layers[1].type", "7:7"},
        {"model[1].layers[2].layers[0]", "10:27"},
        {"model[1].layers[2].layers[1].rate", "10:43"},
        {"model[2].units", "11:12"},
    };
    assert_places(cases, ARRAY_LENGTH(cases));
}

static void sections_are_found_however_they_are_written(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"training.optimizer.learning_rate", "13:42"},
        {"training.learning_rate_schedule.type", "14:27"},
        {"training.learning_rate_schedule.warmup", "14:27"},
        {"training.early_stopping.patience", "15:19"},
        {"training.augmentation.shift", "16:25"},
    };
    assert_places(cases, ARRAY_LENGTH(cases));
}

static void what_a_section_does_not_have_leads_to_its_key(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"model[1].layers[1].stryde", "9:9"}, {"training.optimizer.rho", "13:48"},
        {"training.augmentation.flip", "16:28"}, {"training.wrong", "17:3"},
        {"training.wrong.a", "17:3"},
    };
    assert_places(cases, ARRAY_LENGTH(cases));
}

static void what_is_not_written_leads_as_far_as_it_goes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"model[1].layers[1].padding", "8:9"}, {"model[1].layers[7].kernel", "6:5"},
        {"model[9]", "4:3"}, {"training.augmentation.zoom", "16:17"},
        {"training.epochs", "13:3"}, {"data.folder", "2:7"}, {"data", "2:7"},
        {"", "1:1"}, {"nowhere", "1:1"}, {"model[", "4:5"}, {"model..", "4:3"}, {NULL, "1:1"},
    };
    assert_places(cases, ARRAY_LENGTH(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_found_at_any_depth),
        cmocka_unit_test(sections_are_found_however_they_are_written),
        cmocka_unit_test(what_a_section_does_not_have_leads_to_its_key),
        cmocka_unit_test(what_is_not_written_leads_as_far_as_it_goes),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
