/* A strict little reader of HTML and SVG for tests: every element is closed in turn,
 * attributes are quoted, `<` and `&` stand nowhere by chance. */
#ifndef TESTS_MARKUP_H
#define TESTS_MARKUP_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MARKUP_DEPTH = 64 };

struct markup {
    const char *at;
    struct {
        const char *name;
        size_t length;
    } open[MARKUP_DEPTH];
    int depth;
};

static bool markup_name_is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(name, word, length) == 0;
}

/* One of the entities that are written. */
static bool markup_entity(const char *at)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strncmp(at, known[i], strlen(known[i])) == 0)
            return true;
    return false;
}

/* ` name="value"` as often as it comes; leaves `at` at `>` or `/`. */
static bool markup_attributes(struct markup *markup)
{
    for (;;) {
        while (isspace((unsigned char)*markup->at))
            markup->at++;
        if (*markup->at == '>' || *markup->at == '/')
            return true;
        size_t name = strspn(markup->at, "abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ-:0123456789");
        markup->at += name;
        if (name == 0 || *markup->at++ != '=' || *markup->at++ != '"')
            return false;
        for (; *markup->at != '"'; markup->at++)
            if (*markup->at == '\0' || *markup->at == '<' ||
                (*markup->at == '&' && !markup_entity(markup->at)))
                return false;
        markup->at++;
    }
}

static bool markup_close(struct markup *markup)
{
    const char *name = markup->at + 2;
    size_t length = strcspn(name, ">");
    if (markup->depth == 0)
        return false;
    markup->depth--;
    if (markup->open[markup->depth].length != length ||
        strncmp(markup->open[markup->depth].name, name, length) != 0)
        return false;
    markup->at = name + length + 1;
    return true;
}

static bool markup_open(struct markup *markup)
{
    const char *name = markup->at + 1;
    size_t length = strcspn(name, " />\n");
    markup->at = name + length;
    if (length == 0 || !markup_attributes(markup))
        return false;
    bool closed = *markup->at == '/';
    markup->at += closed ? 2 : 1;
    if (closed || markup_name_is(name, length, "meta") || markup_name_is(name, length, "link"))
        return true;
    if (markup->depth == MARKUP_DEPTH)
        return false;
    markup->open[markup->depth].name = name;
    markup->open[markup->depth].length = length;
    markup->depth++;
    /* A style sheet and a script are not markup. */
    if (markup_name_is(name, length, "style"))
        markup->at = strstr(markup->at, "</style>");
    else if (markup_name_is(name, length, "script"))
        markup->at = strstr(markup->at, "</script");
    return markup->at != NULL;
}

static bool markup_step(struct markup *markup)
{
    const char *at = markup->at;
    if (*at == '&' && !markup_entity(at))
        return false;
    if (*at != '<') {
        markup->at++;
        return true;
    }
    if (at[1] == '!' || at[1] == '?') {
        markup->at = strchr(at, '>') + 1;
        return true;
    }
    return at[1] == '/' ? markup_close(markup) : markup_open(markup);
}

/* Whether all of `text` is well formed; says where it is not. */
static bool markup_is_well_formed(const char *text)
{
    struct markup markup = {.at = text};
    while (*markup.at) {
        const char *before = markup.at;
        if (!markup_step(&markup)) {
            fprintf(stderr, "not well formed at: %.80s\n", before);
            return false;
        }
    }
    if (markup.depth > 0)
        fprintf(stderr, "never closed: %.20s\n", markup.open[markup.depth - 1].name);
    return markup.depth == 0;
}

#endif
