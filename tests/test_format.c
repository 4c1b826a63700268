#include "reports/format.h"

#include "reports/columns.h"
#include "reports/page.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void is(char *made, const char *expected)
{
    assert_string_equal(made, expected);
    free(made);
}

static void value_is(json_t *value, int digits, const char *expected)
{
    is(format_value(value, digits), expected);
    json_decref(value);
}

static void counts_are_grouped_by_thousands(void **state)
{
    (void)state;
    is(format_count(0), "0");
    is(format_count(999), "999");
    is(format_count(1000), "1,000");
    is(format_count(1234567), "1,234,567");
    is(format_count(-123456), "-123,456");
}

static void shares_and_measures_have_fixed_digits(void **state)
{
    (void)state;
    is(format_percent(0.99123), "99.12 %");
    is(format_percent(1.0), "100.00 %");
    is(format_percent(NAN), "\xE2\x80\x93");
    is(format_measure(0.98765), "0.9877");
    is(format_measure(0.0), "0.0000");
    is(format_measure(0.00001234), "1.234e-05");
    is(format_measure(INFINITY), "\xE2\x80\x93");
}

static void durations_have_two_units_at_most(void **state)
{
    (void)state;
    is(format_duration(3.21), "3.2 s");
    is(format_duration(59.4), "59 s");
    is(format_duration(192.4), "3 min 12 s");
    is(format_duration(3599.9), "1 h 0 min");
    is(format_duration(93784), "26 h 3 min");
    is(format_duration(NAN), "\xE2\x80\x93");
    is(format_duration(-1), "\xE2\x80\x93");
}

static void times_are_utc(void **state)
{
    (void)state;
    is(format_time(0), "1970-01-01 00:00 UTC");
    is(format_time(1709210096789), "2024-02-29 12:34 UTC");
}

static void values_read_as_they_were_written(void **state)
{
    (void)state;
    value_is(json_integer(48), 0, "48");
    value_is(json_real(0.1), 0, "0.1");
    value_is(json_real(10.0), 0, "10");
    value_is(json_real(172000.0), 0, "172000");
    value_is(json_real(1e-4), 0, "0.0001");
    value_is(json_real(0.0013482342342342), 0, "0.0013482342342342");
    value_is(json_real(0.0013482342342342), 4, "0.001348");
    value_is(json_string("re\"lu"), 0, "re\"lu");
    value_is(json_true(), 0, "true");
    is(format_value(NULL, 0), "\xE2\x80\x93");
}

static void columns_count_characters_and_not_bytes(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    assert_int_equal(columns_count("a\xC3\xA9\xE4\xB8\xAD"), 3);
    columns_right(&text, "\xC3\xA9", 3);
    columns_right(&text, "long", 2);
    columns_cut(&text, "\xC3\xA9\xE4\xB8\xAD!", 2);
    columns_cut(&text, "ab", 5);
    assert_string_equal(text_string(&text), "  \xC3\xA9long\xC3\xA9\xE4\xB8\xAD" "ab");
    text_free(&text);
}

static void page_puts_contents_into_their_slots_once(void **state)
{
    (void)state;
    struct page_slot slots[] = {{"a", TEXT_EMPTY}, {"bc", TEXT_EMPTY}};
    struct text page = TEXT_EMPTY;
    text_add(&slots[0].content, "1{{bc}}");
    text_add(&slots[1].content, "2");
    page_fill(&page, "<{{a}}{{bc}}{{a}}{{other}}{{", slots, 2);
    assert_string_equal(text_string(&page), "<1{{bc}}21{{bc}}{{other}}{{");
    text_free(&page);
    text_free(&slots[0].content);
    text_free(&slots[1].content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_grouped_by_thousands),
        cmocka_unit_test(shares_and_measures_have_fixed_digits),
        cmocka_unit_test(durations_have_two_units_at_most),
        cmocka_unit_test(times_are_utc),
        cmocka_unit_test(values_read_as_they_were_written),
        cmocka_unit_test(columns_count_characters_and_not_bytes),
        cmocka_unit_test(page_puts_contents_into_their_slots_once),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
