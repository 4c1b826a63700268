/* The options of a command line: what a command knows is a table of rules, and
 * each rule says where its value goes.
 *
 *   bool json = false;
 *   int64_t epochs = 9;
 *   const char *data = NULL;
 *   const struct option_rule rules[] = {
 *       {"json", 'j', OPTION_FLAG, &json, 0, 0},
 *       {"epochs", 0, OPTION_INTEGER, &epochs, 1, 1000000},
 *       {"data", 0, OPTION_TEXT, &data, 0, 0},
 *   };
 *   const char *words[1];
 *   const struct options options = {"trainer evaluate", rules, ARRAY_LENGTH(rules),
 *                                   "a MODEL", 1, 1};
 *   switch (options_parse(&options, argv + 2, words, NULL, &why)) ...
 *
 * Accepted: --name VALUE, --name=VALUE, -x VALUE, words among the options, "-" as
 * a word (a VALUE that begins with two dashes only after '='), and "--" after which all are
 * words.  A value is left as it was when its option is not given; texts point into the
 * arguments. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include "common/base.h"

enum option_type {
    OPTION_FLAG,    /* bool: true when given */
    OPTION_TEXT,    /* const char * */
    OPTION_INTEGER, /* int64_t, from low to high */
    OPTION_SEED     /* uint64_t: any decimal number that fits */
};

struct option_rule {
    const char *name; /* without its dashes */
    char letter;      /* of the short form, or 0 */
    enum option_type type;
    void *value;
    int64_t low, high; /* of OPTION_INTEGER, inclusive */
};

struct options {
    const char *command; /* "trainer evaluate": whose --help a message points to */
    const struct option_rule *rules;
    size_t rule_count;
    const char *word_names; /* what must be there, "a MODEL"; for messages */
    size_t least_words, most_words;
};

/* Works through `arguments`, a NULL-terminated list without the command's name.
 * The words go to `words` ([most_words]), their number to *word_count (may be NULL).
 * 0: all is well; 1: --help or -h is among the options, nothing else was checked;
 * -1: a usage failure (EXIT_BAD_USAGE), which names the nearest right option. */
int options_parse(const struct options *options, char *const arguments[], const char *words[],
                  size_t *word_count, struct failure *why);

/* A usage failure "unknown <noun> 'word'" that names the nearest of `known`; -1. */
int options_unknown(struct failure *why, const char *noun, const char *word,
                    const char *const *known, size_t count);

#endif
