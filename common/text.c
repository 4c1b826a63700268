#include "common/text.h"

#include "common/base.h"

#include <ctype.h>
#include <stdint.h>
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

/* A word without what tells styles of writing apart: EarlyStopping and early-stopping
 * are early_stopping.  The caller frees it. */
static char *plain_word(const char *word)
{
    struct text plain = TEXT_EMPTY;
    for (; *word; word++) {
        if (*word != '_' && *word != '-' && *word != ' ')
            text_add_char(&plain, (char)tolower((unsigned char)*word));
    }
    return text_take(&plain);
}

/* Whether one word is the beginning of the other, and enough of it to be meant. */
static bool one_begins_other(const char *a, const char *b)
{
    size_t shorter = least(strlen(a), strlen(b));
    return shorter >= 3 && strncmp(a, b, shorter) == 0;
}

/* How far a candidate is from the word, both plain: up to `most` by slips, then, one
 * further, by being its beginning; SIZE_MAX when it is neither. */
static size_t word_distance(const char *word, const char *candidate, size_t most)
{
    size_t length = strlen(word), other = strlen(candidate);
    if (other <= length + most && length <= other + most) {
        size_t distance = edit_distance(word, candidate);
        if (distance <= most && distance < least(length, other))
            return distance;
    }
    return one_begins_other(word, candidate) ? most + 1 : SIZE_MAX;
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
    /* A slip in every third letter is still likely to be a slip; a word of more than
     * 100 letters was never meant to be one of ours. */
    size_t length = strlen(word);
    if (length == 0 || length > 100)
        return NULL;
    char *plain = plain_word(word);
    size_t most = 1 + strlen(plain) / 3, nearest_distance = SIZE_MAX;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        char *candidate = plain_word(candidates[i]);
        size_t distance = word_distance(plain, candidate, most);
        if (distance < nearest_distance) {
            nearest = candidates[i];
            nearest_distance = distance;
        }
        free(candidate);
    }
    free(plain);
    return nearest;
}
