#include "reports/report_html.h"

#include "tests/markup.h"
#include "tests/report_scene.h"

/* The object that the page carries, to be given back. */
static json_t *page_data(const char *page)
{
    static const char begin[] = "<script type=\"application/json\" id=\"report-data\">";
    const char *at = strstr(page, begin);
    assert_non_null(at);
    at += strlen(begin);
    const char *end = strstr(at, "</script>");
    json_t *data = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(data);
    assert_null(memchr(at, '<', (size_t)(end - at)));
    return data;
}

static void page_carries_the_same_and_the_network(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    json_t *data = page_data(page), *report = report_of(scene);
    json_t *network = json_incref(json_object_get(data, "network"));
    /* 1, 2, 3 and 0.5 as little-endian float32. */
    assert_string_equal(string_at(network, "weights"), "AACAPwAAAEAAAEBA");
    assert_string_equal(string_at(network, "statistics"), "AAAAPw==");
    assert_string_equal(string_at(item(network, "layers", 0), "type"), "<b>");
    assert_true(number_at(network, "input", "width") == 3);
    assert_string_equal(string_at(data, "network_note"), "");
    json_object_del(data, "network");
    json_object_del(data, "network_note");
    assert_true(json_equal(data, report));
    json_decref(network);
    json_decref(data);
    json_decref(report);
    free(page);
}

static void page_tells_why_there_is_no_network(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    json_t *layers = json_array();
    const struct final_record final = {IMAGES, 56, 0.123, layers, "weights", 7};
    add_whole_study(scene, "letters", true, true);
    check(store_begin(scene->store, &why), &why);
    check(store_end_final(scene->store, scene->study, &final, &why), &why);
    check(store_commit(scene->store, &why), &why);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    json_t *data = page_data(page);
    assert_true(json_is_null(json_object_get(data, "network")));
    contains(string_at(data, "network_note"), "no model");
    contains(page, "The trainer did not describe it.");
    lacks(page, ">Model</dt>");
    json_decref(data);
    json_decref(layers);
    free(page);
}

static void page_shows_the_stored_images(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html"), *png = product(scene, "mistakes.png");
    contains(page, "<image id=\"sprite\" width=\"33\" height=\"2\" href=\"data:image/png;base64,");
    contains(page, "<rect data-label=\"1\" data-predicted=\"0\"");
    contains(page, "<title>test image 10</title><use href=\"#sprite\"/>");
    contains(page, "is <b>1</b>, taken for <b class=\"bad\">0</b>");
    assert_memory_equal(png, "\x89PNG", 4);
    free(page);
    free(png);
}

static void markup_is_well_formed_and_escaped(void **state)
{
    static const char *const names[] = {"index.html", "curves.svg", "confusion.svg"};
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *text = product(scene, names[i]);
        assert_true(markup_is_well_formed(text));
        lacks(text, "<script>alert");
        free(text);
    }
}

static void page_shows_what_was_stored(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    contains(page, "<h1>letters</h1>");
    contains(page, "93.33 %");
    contains(page, "&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt;</td>");
    contains(page, "# &lt;/pre&gt;&lt;script&gt;");
    contains(page, "{{trials}} &amp; &quot;quotes&quot;"); /* of the study file, not a slot */
    contains(page, "tuner run &#39;my studies/it&#39;\\&#39;&#39;s.yaml&#39;");
    contains(page, "18446744073709551615");
    contains(page, "(None, 28, 28, 16)");
    contains(page, "37,795");
    contains(page, "<tr class=\"winner\">");
    contains(page, "Faults");
    contains(page, "final training");
    lacks(page, "{{name}}");
    lacks(page, "{{style}}");
    free(page);
}

/* Shown with each trial where they differ, else with the winner alone. */
static void page_tells_which_trials_used_other_arithmetic(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    contains(page, "sse2 fp32");
    lacks(page, ">sse2 fp32</td><td class=\"word");
    free(page);
    check(store_begin(scene->store, &why), &why);
    check(store_set_arithmetic(scene->store, scene->study, 0, 0, 1, "amx bf16", &why), &why);
    check(store_commit(scene->store, &why), &why);
    write_report(scene, "letters");
    page = product(scene, "index.html");
    contains(page, ">arithmetic</th>");
    contains(page, ">amx bf16</td><td class=\"word");
    contains(page, ">sse2 fp32</td><td class=\"word");
    free(page);
}

static void page_needs_nothing_but_itself(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = page_without_scripts(scene);
    static const char *const requests[] = {"http:", "https:", "src=", "@import", "url(", "href=\"/",
                                           "<iframe", "<object"};
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        lacks(page, requests[i]);
    contains(page, "href=\"data:,\""); /* the one link, an empty icon */
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(page_carries_the_same_and_the_network),
        WITH_STORE(page_tells_why_there_is_no_network),
        WITH_STORE(page_shows_the_stored_images),
        WITH_STORE(markup_is_well_formed_and_escaped),
        WITH_STORE(page_shows_what_was_stored),
        WITH_STORE(page_tells_which_trials_used_other_arithmetic),
        WITH_STORE(page_needs_nothing_but_itself),
    };
    return cmocka_run_group_tests_name("report_html", tests, NULL, NULL);
}
