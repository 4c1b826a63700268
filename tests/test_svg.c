#include "reports/svg.h"

#include "reports/chart_confusion.h"
#include "reports/chart_curves.h"
#include "reports/chart_reliability.h"
#include "tests/markup.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        count++;
    return count;
}

static void standalone_picture_brings_name_space_and_style(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    svg_begin(&text, 10, 20, "a", true);
    svg_end(&text);
    const char *svg = text_string(&text);
    assert_non_null(strstr(svg, "xmlns=\"http://www.w3.org/2000/svg\""));
    assert_non_null(strstr(svg, "viewBox=\"0 0 10 20\""));
    assert_non_null(strstr(svg, "prefers-color-scheme: dark"));
    assert_true(markup_is_well_formed(svg));
    text_free(&text);
}

static void picture_in_a_page_leaves_the_style_to_the_page(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    svg_begin(&text, 10, 20, "a", false);
    svg_end(&text);
    assert_null(strstr(text_string(&text), "http"));
    assert_null(strstr(text_string(&text), "<style"));
    text_free(&text);
}

static void elements_are_drawn_where_told(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    svg_line(&text, "grid", 1, 2.5, 3.14159, -1e-9);
    svg_rect(&text, "right", 0, 0, 4, 5, 0.25, NULL);
    assert_string_equal(
        text_string(&text),
        "<line class=\"grid\" x1=\"1\" y1=\"2.5\" x2=\"3.14\" y2=\"0\"/>\n"
        "<rect class=\"right\" x=\"0\" y=\"0\" width=\"4\" height=\"5\" fill-opacity=\"0.25\"/>\n");
    text_free(&text);
}

static void every_string_is_escaped(void **state)
{
    (void)state;
    const struct svg_label label = {"name", SVG_END, 1, 2, 0, 0};
    struct text text = TEXT_EMPTY;
    svg_begin(&text, 1, 1, "<script>\"'&", true);
    svg_label(&text, &label, "</text><script>");
    svg_rect(&text, "right", 0, 0, 1, 1, 1, "</title>&");
    svg_end(&text);
    assert_null(strstr(text_string(&text), "<script"));
    assert_true(markup_is_well_formed(text_string(&text)));
    text_free(&text);
}

static void curve_breaks_where_a_value_is_missing(void **state)
{
    (void)state;
    const double x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 2, NAN, 3, INFINITY, 4};
    struct text text = TEXT_EMPTY;
    svg_curve(&text, "curve", x, y, 6);
    assert_int_equal(occurrences(text_string(&text), "<polyline"), 1);
    assert_int_equal(occurrences(text_string(&text), "<circle"), 2);
    assert_null(strstr(text_string(&text), "nan"));
    assert_null(strstr(text_string(&text), "inf"));
    text_free(&text);
}

/* ---- charts ---- */

static void fill_epochs(struct report_epoch *epochs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        epochs[i] = (struct report_epoch){(int)i + 1, 1.0 / (double)(i + 1), 0.9,
                                          0.5 / (double)(i + 1), 0.95};
}

static void curves_show_both_measures_with_a_legend(void **state)
{
    (void)state;
    struct report_epoch epochs[5];
    struct report_trial trial = {.curve = {epochs, 5}};
    struct report_data data = {.trials = &trial, .listed_count = 1};
    struct text text = TEXT_EMPTY;
    fill_epochs(epochs, 5);
    chart_curves(&text, &data);
    const char *svg = text_string(&text);
    assert_true(markup_is_well_formed(svg));
    assert_int_equal(occurrences(svg, ">training<"), 2);
    assert_int_equal(occurrences(svg, ">validation<"), 2);
    assert_int_equal(occurrences(svg, ">final training<"), 0);
    assert_int_equal(occurrences(svg, "<polyline"), 4);
    assert_int_equal(occurrences(svg, ">epoch<"), 2);
    text_free(&text);
}

static void curves_show_the_final_training_where_there_was_one(void **state)
{
    (void)state;
    struct report_epoch epochs[5];
    struct report_trial trial = {.curve = {epochs, 5}};
    struct report_data data = {.trials = &trial, .listed_count = 1, .final = {epochs, 5}};
    struct text text = TEXT_EMPTY;
    fill_epochs(epochs, 5);
    chart_curve(&text, &data, CHART_LOSS);
    assert_int_equal(occurrences(text_string(&text), ">final training<"), 1);
    assert_int_equal(occurrences(text_string(&text), "<polyline"), 3);
    text_free(&text);
}

/* One of them far off, which must not press the winner to an edge. */
static void curves_show_the_other_trials_behind_and_cut_off(void **state)
{
    (void)state;
    struct report_epoch epochs[5], far_off[5];
    struct report_trial trials[6] = {0};
    struct report_data data = {.trials = trials, .listed_count = 6, .winner = 2};
    struct text text = TEXT_EMPTY;
    fill_epochs(epochs, 5);
    fill_epochs(far_off, 5);
    for (int i = 0; i < 5; i++)
        far_off[i].val_loss = 1000.0;
    for (int i = 0; i < 6; i++) {
        trials[i].number = i;
        trials[i].curve = (struct report_curve){i == 0 ? far_off : epochs, 5};
    }
    trials[5].curve.count = 0;
    chart_curve(&text, &data, CHART_LOSS);
    const char *svg = text_string(&text);
    assert_int_equal(occurrences(svg, "<polyline class=\"curve other\""), 4);
    assert_int_equal(occurrences(svg, ">other trials<"), 1);
    assert_int_equal(occurrences(svg, ">1.0<"), 1); /* a tick: the axis ends there */
    assert_true(strstr(svg, "curve other\" points") < strstr(svg, "curve training\" points"));
    assert_true(markup_is_well_formed(svg));
    text_free(&text);
}

static void curves_of_one_epoch_are_dots(void **state)
{
    (void)state;
    struct report_epoch epochs[1];
    struct report_trial trial = {.curve = {epochs, 1}};
    struct report_data data = {.trials = &trial, .listed_count = 1};
    struct text text = TEXT_EMPTY;
    fill_epochs(epochs, 1);
    chart_curves(&text, &data);
    assert_int_equal(occurrences(text_string(&text), "<circle"), 4);
    assert_null(strstr(text_string(&text), "nan"));
    text_free(&text);
}

static void curves_without_any_value_say_so(void **state)
{
    (void)state;
    struct report_epoch epoch = {1, NAN, NAN, NAN, NAN};
    struct report_trial trial = {.curve = {&epoch, 1}};
    struct report_data data = {.trials = &trial, .listed_count = 1};
    struct text text = TEXT_EMPTY;
    chart_curves(&text, &data);
    assert_int_equal(occurrences(text_string(&text), "not recorded"), 2);
    assert_true(markup_is_well_formed(text_string(&text)));
    text_free(&text);
}

static void curves_bear_enormous_losses(void **state)
{
    (void)state;
    struct report_epoch epochs[2] = {{1, 1e300, 0.1, 1e308, 0.1}, {2, 1e-320, 0.1, 0.0, 0.1}};
    struct report_trial trial = {.curve = {epochs, 2}};
    struct report_data data = {.trials = &trial, .listed_count = 1};
    struct text text = TEXT_EMPTY;
    chart_curves(&text, &data);
    assert_null(strstr(text_string(&text), "nan"));
    assert_null(strstr(text_string(&text), "inf"));
    assert_true(text.length < 100000);
    text_free(&text);
}

static void confusion_shows_every_count_that_is_not_zero(void **state)
{
    (void)state;
    const char *const names[] = {"zero", "one"};
    struct confusion confusion;
    struct text text = TEXT_EMPTY;
    confusion_init(&confusion, 2);
    for (int i = 0; i < 123; i++)
        confusion_add(&confusion, 0, 0);
    for (int i = 0; i < 7; i++)
        confusion_add(&confusion, 1, 0);
    chart_confusion(&text, &confusion, names, NULL, true);
    const char *svg = text_string(&text);
    assert_true(markup_is_well_formed(svg));
    assert_non_null(strstr(svg, ">123</text>"));
    assert_non_null(strstr(svg, ">7</text>"));
    assert_int_equal(occurrences(svg, "class=\"right\""), 1);
    assert_int_equal(occurrences(svg, "class=\"wrong\""), 1);
    assert_int_equal(occurrences(svg, ">zero</text>"), 2);
    text_free(&text);
    confusion_release(&confusion);
}

static void confusion_cuts_long_names_and_escapes_them(void **state)
{
    (void)state;
    const char *const names[] = {"<script>alert(\"a very long name\")</script>", "b"};
    struct confusion confusion;
    struct text text = TEXT_EMPTY;
    confusion_init(&confusion, 2);
    confusion_add(&confusion, 0, 1);
    chart_confusion(&text, &confusion, names, NULL, false);
    assert_true(markup_is_well_formed(text_string(&text)));
    assert_null(strstr(text_string(&text), "<script"));
    assert_non_null(strstr(text_string(&text), ">&lt;script&gt;alert(&quot;\xE2\x80\xA6<"));
    text_free(&text);
    confusion_release(&confusion);
}

static void confusion_of_256_classes_stays_small(void **state)
{
    (void)state;
    const char *names[256];
    struct confusion confusion;
    struct text text = TEXT_EMPTY;
    confusion_init(&confusion, 256);
    for (int i = 0; i < 256; i++) {
        names[i] = "name";
        confusion_add(&confusion, i, i);
    }
    chart_confusion(&text, &confusion, names, NULL, true);
    assert_true(markup_is_well_formed(text_string(&text)));
    assert_true(text.length < 200000);
    text_free(&text);
    confusion_release(&confusion);
}

static void confusion_of_small_cells_draws_those_of_a_shade_together(void **state)
{
    enum { CLASSES = 300, MISTAKES = 40 };
    (void)state;
    const char *names[CLASSES];
    static bool open[CLASSES * CLASSES];
    struct confusion confusion;
    struct text text = TEXT_EMPTY;
    confusion_init(&confusion, CLASSES);
    for (int i = 0; i < CLASSES; i++) {
        names[i] = "name";
        for (int k = 0; k <= MISTAKES; k++)
            confusion_add(&confusion, i, (i + k) % CLASSES);
    }
    open[7 * CLASSES + 9] = true;
    chart_confusion(&text, &confusion, names, open, false);
    const char *svg = text_string(&text);
    assert_true(markup_is_well_formed(svg));
    assert_int_equal(occurrences(svg, "h1v1h-1z"), CLASSES * (MISTAKES + 1) - 1);
    assert_int_equal(occurrences(svg, "<path class=\"right\""), 1);
    assert_int_equal(occurrences(svg, "<path class=\"wrong\""), 1);
    assert_non_null(strstr(svg, "data-label=\"7\" data-predicted=\"9\""));
    text_free(&text);
    confusion_release(&confusion);
}

static void confusion_marks_the_cells_that_can_be_opened(void **state)
{
    (void)state;
    const char *const names[] = {"zero", "one"};
    const bool open[] = {false, true, true, false}; /* of one, nothing was taken for zero */
    struct confusion confusion;
    struct text text = TEXT_EMPTY;
    confusion_init(&confusion, 2);
    confusion_add(&confusion, 0, 0);
    confusion_add(&confusion, 0, 1);
    chart_confusion(&text, &confusion, names, open, false);
    assert_int_equal(occurrences(text_string(&text), "data-label"), 1);
    assert_non_null(strstr(text_string(&text), "data-label=\"0\" data-predicted=\"1\""));
    assert_non_null(strstr(text_string(&text), "true zero, predicted one: 1 (50.00 %)"));
    text_free(&text);
    confusion_release(&confusion);
}

static void reliability_has_a_bar_for_each_bin_with_images(void **state)
{
    (void)state;
    struct scoring scoring = {0};
    struct text text = TEXT_EMPTY;
    const double sure[] = {1.0, 0.0}, unsure[] = {0.55, 0.45};
    scoring_add(&scoring, sure, 2, 0, 0);
    scoring_add(&scoring, sure, 2, 1, 0);
    scoring_add(&scoring, unsure, 2, 0, 0);
    scoring_finish(&scoring);
    chart_reliability(&text, &scoring);
    assert_true(markup_is_well_formed(text_string(&text)));
    assert_int_equal(occurrences(text_string(&text), "<rect"), 2);
    assert_non_null(strstr(text_string(&text), "2 images: sure to 100.00 %, right in 50.00 %"));
    assert_non_null(strstr(text_string(&text), "1 image: sure to 55.00 %, right in 100.00 %"));
    assert_null(strstr(text_string(&text), "nan"));
    text_free(&text);
}

static void attributes_of_its_own_are_written_as_they_are(void **state)
{
    struct text text = TEXT_EMPTY;
    (void)state;
    svg_rect_with(&text, " data-label=\"4\"", "right", 0, 0, 1, 1, 1, NULL);
    assert_string_equal(text_string(&text), "<rect data-label=\"4\" class=\"right\" x=\"0\" y=\"0\""
                                            " width=\"1\" height=\"1\"/>\n");
    text_free(&text);
}

static void what_is_cut_off_keeps_its_coordinates(void **state)
{
    struct text text = TEXT_EMPTY;
    (void)state;
    svg_clip_begin(&text, 5, 6, 70, 80.5);
    svg_clip_end(&text);
    assert_string_equal(text_string(&text), "<svg x=\"5\" y=\"6\" width=\"70\" height=\"80.5\""
                                            " viewBox=\"5 6 70 80.5\">\n</svg>\n");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_of_its_own_are_written_as_they_are),
        cmocka_unit_test(curves_show_the_other_trials_behind_and_cut_off),
        cmocka_unit_test(confusion_of_small_cells_draws_those_of_a_shade_together),
        cmocka_unit_test(confusion_marks_the_cells_that_can_be_opened),
        cmocka_unit_test(reliability_has_a_bar_for_each_bin_with_images),
        cmocka_unit_test(what_is_cut_off_keeps_its_coordinates),
        cmocka_unit_test(standalone_picture_brings_name_space_and_style),
        cmocka_unit_test(picture_in_a_page_leaves_the_style_to_the_page),
        cmocka_unit_test(elements_are_drawn_where_told),
        cmocka_unit_test(every_string_is_escaped),
        cmocka_unit_test(curve_breaks_where_a_value_is_missing),
        cmocka_unit_test(curves_show_both_measures_with_a_legend),
        cmocka_unit_test(curves_show_the_final_training_where_there_was_one),
        cmocka_unit_test(curves_of_one_epoch_are_dots),
        cmocka_unit_test(curves_without_any_value_say_so),
        cmocka_unit_test(curves_bear_enormous_losses),
        cmocka_unit_test(confusion_shows_every_count_that_is_not_zero),
        cmocka_unit_test(confusion_cuts_long_names_and_escapes_them),
        cmocka_unit_test(confusion_of_256_classes_stays_small),
    };
    return cmocka_run_group_tests_name("svg", tests, NULL, NULL);
}
