/* The options of a command line: what a command knows is a table of rules, and
 * each rule says where its value goes and what it is good for.  The command's --help, its
 * part of the manual and what shells complete are made from the same table.
 *
 *   bool json = false;
 *   int64_t epochs = 9;
 *   const char *data = NULL;
 *   const struct option_rule rules[] = {
 *       {"json", 'j', OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
 *       {"epochs", 0, OPTION_INTEGER, &epochs, 1, 1000000, "N", "how many"},
 *       {"data", 0, OPTION_TEXT, &data, 0, 0, "mnist|PATH", "the data set"},
 *   };
 *   const char *words[1];
 *   const struct options options = {
 *       "trainer evaluate", rules, ARRAY_LENGTH(rules), "MODEL", 1, 1,
 *       .about = "Measures a saved network on the test images of a data set.\n",
 *       .examples = "trainer evaluate model.ckpt --data mnist\n"};
 *   if (options_parse(&options, arguments, words, NULL, why) != 0)
 *       return why->code;
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
    OPTION_CHOICE,  /* const char *: one of the words that its placeholder lists */
    OPTION_INTEGER, /* int64_t, from low to high */
    OPTION_SEED     /* uint64_t: any decimal number that fits */
};

struct option_rule {
    const char *name; /* without its dashes */
    char letter;      /* of the short form, or 0 */
    enum option_type type;
    void *value;
    int64_t low, high;       /* of OPTION_INTEGER, inclusive */
    const char *placeholder; /* of its value, as common/placeholder.h reads it; NULL: a flag */
    const char *help;        /* what it is good for, begun small and without a full stop */
};

/* Texts are lines, each ended by '\n'.  One that begins with a space is shown as it is, any
 * other is broken where it is too long; `words in backquotes` are to be typed.  All may be
 * NULL. */
struct options {
    const char *command; /* "trainer evaluate" */
    const struct option_rule *rules;
    size_t rule_count;
    const char *words; /* placeholders, "MODEL FILE..."; the last may stand for many */
    size_t least_words, most_words;
    const char *usage;    /* each way to write it, a line without the command's name; NULL:
                           * the words and [OPTIONS] */
    const char *about;    /* a text: what it does */
    const char *examples; /* lines to type */
    const char *notes;    /* a text, after the options */
    const char *exit_codes; /* "0 done, 1 failed" */
};

/* Works through `arguments`, a NULL-terminated list without the command's name.
 * The words go to `words` ([most_words]), their number to *word_count (may be NULL).
 * 0: all is well; 1: --help or -h is among the options, and the help was printed (nothing
 * else was checked, and nothing has failed); -1: a usage failure (EXIT_BAD_USAGE), which names
 * the nearest right option. */
int options_parse(const struct options *options, char *const arguments[], const char *words[],
                  size_t *word_count, struct failure *why);

/* A usage failure "unknown <noun> 'word'" that names the nearest of `known`, or, where none is
 * near, says `where` they are all told, such as OPTIONS_HELP_SHOWS; -1. */
int options_unknown(struct failure *why, const char *noun, const char *word, const char *where,
                    const char *const *known, size_t count);
#define OPTIONS_HELP_SHOWS "--help shows what there is"

#endif
