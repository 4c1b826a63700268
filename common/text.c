#include "common/text.h"

#include "common/base.h"

#include <stdlib.h>
#include <string.h>

static void reserve(struct text *text, size_t more)
{
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    text->at = xrealloc(text->at, capacity);
    text->capacity = capacity;
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_add_bytes(struct text *text, const char *bytes, size_t count)
{
    reserve(text, count);
    if (count)
        memcpy(text->at + text->length, bytes, count);
    text->length += count;
    text->at[text->length] = '\0';
}

void text_add_char(struct text *text, char character)
{
    text_add_bytes(text, &character, 1);
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *addition = xvasprintf(format, arguments);
    va_end(arguments);
    text_add(text, addition);
    free(addition);
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->at)
        text->at[0] = '\0';
}

void text_free(struct text *text)
{
    free(text->at);
    *text = (struct text)TEXT_EMPTY;
}

char *text_take(struct text *text)
{
    char *string = text->at ? text->at : xstrdup("");
    *text = (struct text)TEXT_EMPTY;
    return string;
}

const char *text_string(const struct text *text)
{
    return text->at ? text->at : "";
}

/* ---- near words ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits that turn `from` into `to`: the usual table, of which only the row at hand
 * and the two above it are kept (the swap of neighbours looks two rows back). */
static size_t edit_distance(const char *from, const char *to)
{
    size_t rows = strlen(from), columns = strlen(to), width = columns + 1;
    size_t *table = xreallocarray(NULL, 3 * width, sizeof *table);
    size_t *above = table, *here = table + width, *two_above = table + 2 * width;
    for (size_t j = 0; j <= columns; j++)
        here[j] = j;
    for (size_t i = 1; i <= rows; i++) {
        size_t *oldest = two_above;
        two_above = above;
        above = here;
        here = oldest;
        here[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            here[j] = above[j - 1] + (from[i - 1] != to[j - 1]);
            here[j] = least(here[j], least(above[j], here[j - 1]) + 1);
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                here[j] = least(here[j], two_above[j - 2] + 1);
        }
    }
    size_t distance = here[columns];
    free(table);
    return distance;
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
    /* A slip in every third letter is still likely to be a slip; a word of more than
     * 100 letters was never meant to be one of ours. */
    size_t length = strlen(word);
    if (length == 0 || length > 100)
        return NULL;
    size_t most = 1 + length / 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        if (other > length + most || length > other + most)
            continue;
        size_t distance = edit_distance(word, candidates[i]);
        if (distance <= most && distance < least(length, other)) {
            nearest = candidates[i];
            most = distance ? distance - 1 : 0;
            if (distance == 0)
                break;
        }
    }
    return nearest;
}
