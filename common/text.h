/* A string that grows, and words that are near each other.
 *
 * Invariant: `at` is NULL or a zero-terminated string of `length` bytes.
 * Start from TEXT_EMPTY; text_free() releases; text_take() hands the string
 * over to the caller, who frees it. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdarg.h>
#include <stddef.h>

struct text {
    char *at;
    size_t length;
    size_t capacity;
};
#define TEXT_EMPTY {NULL, 0, 0}

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
void text_add_char(struct text *text, char character);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *text); /* empty, memory kept */
void text_free(struct text *text);
char *text_take(struct text *text); /* never NULL: "" when empty */
const char *text_string(const struct text *text); /* never NULL */

/* The candidate nearest to `word` by edit distance (insert, delete, replace,
 * swap of neighbours), upper case, `_` and `-` aside; else one of which the word is the
 * beginning, or which begins the word; NULL when none is near enough to be what was
 * meant.  Candidates end at `count`. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
