/* compare: studies side by side. */
#include "tuner/command.h"

#include "common/file.h"
#include "common/json_text.h"
#include "common/options.h"
#include "reports/compare.h"
#include "tuner/visit.h"

#include <stdio.h>
#include <stdlib.h>

enum { STUDIES_MOST = 8 };

static const char help[] =
    "Examples:\n"
    "  tuner compare mnist_random mnist_hyperband\n"
    "  tuner compare small wide deep --html compared.html\n"
    "\n"
    "Usage: tuner compare STUDY STUDY... [OPTIONS]\n"
    "Shows up to 8 studies side by side: what their best models do, at what cost, the curves, and\n"
    "whether the difference on the test images means anything (McNemar's test).\n"
    "\n"
    "  --html FILE   writes a page instead\n"
    "  --home DIR, --json\n";

static int write_page(const struct compare *compare, const char *path, struct failure *why)
{
    struct text page = TEXT_EMPTY;
    compare_html(&page, compare);
    const struct file_piece piece = {text_string(&page), page.length};
    int result = file_replace(path, &piece, 1, why);
    if (result == 0)
        printf("%s\n", path);
    text_free(&page);
    return result;
}

static void print(const struct compare *compare, bool json)
{
    struct text text = TEXT_EMPTY;
    if (json) {
        json_t *object = compare_json(compare);
        json_text_print(object);
        json_decref(object);
    } else {
        compare_text(&text, compare);
        fputs(text_string(&text), stdout);
    }
    text_free(&text);
}

enum exit_code command_compare(char *const arguments[], struct failure *why)
{
    const char *home = NULL, *html = NULL, *words[STUDIES_MOST];
    bool json = false;
    size_t count = 0;
    const struct option_rule rules[] = {{"home", 0, OPTION_TEXT, &home, 0, 0},
                                        {"html", 0, OPTION_TEXT, &html, 0, 0},
                                        {"json", 0, OPTION_FLAG, &json, 0, 0}};
    const struct options options = {"tuner compare", rules, ARRAY_LENGTH(rules),
                                    "STUDY STUDY...", 2, STUDIES_MOST};
    int parsed = options_parse(&options, arguments, words, &count, why);
    struct visit visit;
    struct compare compare;
    if (parsed > 0)
        fputs(help, stdout);
    if (parsed != 0)
        return parsed > 0 ? EXIT_DONE : EXIT_BAD_USAGE;
    if (visit_enter(&visit, home, NULL, why) == 0 &&
        compare_read(visit.store, words, count, &compare, why) == 0) {
        if (html == NULL)
            print(&compare, json);
        else
            write_page(&compare, html, why);
        compare_release(&compare);
    }
    visit_leave(&visit);
    return why->code;
}
