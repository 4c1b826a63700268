#include "common/placeholder.h"

#include "common/base.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *word;
    enum placeholder_kind kind;
} kinds[] = {
    {"FILE", PLACEHOLDER_FILE},       {"PATH", PLACEHOLDER_FILE},
    {"MODEL", PLACEHOLDER_FILE},      {"DIR", PLACEHOLDER_FOLDER},
    {"FOLDER", PLACEHOLDER_FOLDER},   {"PROGRAM", PLACEHOLDER_PROGRAM},
    {"STUDY", PLACEHOLDER_STUDY},     {"QUERY", PLACEHOLDER_QUERY},
    {"COMMAND", PLACEHOLDER_COMMAND},
};

static enum placeholder_kind kind_of(const struct placeholder_part *part)
{
    if (islower((unsigned char)*part->at))
        return PLACEHOLDER_CHOICE;
    if (part->ending_length > 0)
        return PLACEHOLDER_FILE;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (strlen(kinds[i].word) == part->length &&
            memcmp(kinds[i].word, part->at, part->length) == 0)
            return kinds[i].kind;
    }
    return PLACEHOLDER_OTHER;
}

static size_t dots(const char *at, size_t length)
{
    return length > 3 && memcmp(at + length - 3, "...", 3) == 0 ? 3 : 0;
}

bool placeholder_next(const char **rest, struct placeholder_part *part)
{
    if (**rest == '|')
        (*rest)++;
    size_t length = strcspn(*rest, "| ");
    if (length == 0)
        return false;
    *part = (struct placeholder_part){.at = *rest, .length = length - dots(*rest, length)};
    *rest += length;
    part->ending = memchr(part->at, '.', part->length);
    if (part->ending)
        part->ending_length = (size_t)(part->at + part->length - part->ending);
    part->kind = kind_of(part);
    return true;
}

size_t placeholder_of_word(const char *words, size_t index, const char **at)
{
    while (words && *words) {
        size_t length = strcspn(words, " "), many = dots(words, length);
        *at = words;
        words += length + strspn(words + length, " ");
        if (index == 0 || (*words == '\0' && many > 0))
            return length - many;
        index--;
    }
    return 0;
}
