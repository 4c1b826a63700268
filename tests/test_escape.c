#include "reports/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void becomes(const char *string, const char *expected)
{
    struct text text = TEXT_EMPTY;
    escape_markup(&text, string);
    assert_string_equal(text_string(&text), expected);
    text_free(&text);
}

static void markup_becomes_text(void **state)
{
    (void)state;
    becomes("<script>alert('x')</script>",
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    becomes("\" onload=\"x", "&quot; onload=&quot;x");
    becomes("a & b &amp; c", "a &amp; b &amp;amp; c");
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    becomes("", "");
    becomes("a 1\t_\n\r{{}}`=", "a 1\t_\n\r{{}}`=");
    becomes("\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80", "\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80");
}

static void control_characters_are_replaced(void **state)
{
    (void)state;
    becomes("a\x01" "b\x1B\x7F", "a\xEF\xBF\xBD" "b\xEF\xBF\xBD\xEF\xBF\xBD");
    becomes("\xC2\x85", "\xEF\xBF\xBD\xEF\xBF\xBD"); /* U+0085 */
}

static void bytes_that_are_no_utf8_are_replaced(void **state)
{
    (void)state;
    becomes("\xFF<", "\xEF\xBF\xBD&lt;");
    becomes("\xC3<", "\xEF\xBF\xBD&lt;");                                 /* cut off */
    becomes("\xE4\xB8", "\xEF\xBF\xBD\xEF\xBF\xBD");                      /* cut off at the end */
    becomes("\xC0\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD");                      /* an overlong '<' */
    becomes("\xE0\x80\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");      /* likewise */
    becomes("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");      /* a surrogate */
    becomes("\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");      /* U+FFFF */
    becomes("\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_becomes_text),
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(control_characters_are_replaced),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
    };
    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
