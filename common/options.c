#include "common/options.h"

#include "common/help.h"
#include "common/placeholder.h"
#include "common/seed.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far a parse has come. */
struct option_parse {
    const struct options *options;
    char *const *next; /* the argument to look at */
    const char **words;
    size_t word_count;
    struct failure *why;
};

int options_unknown(struct failure *why, const char *noun, const char *word, const char *where,
                    const char *const *known, size_t count)
{
    const char *nearest = nearest_word(word, known, count);
    if (nearest)
        return fail_usage(why, "unknown %s '%s'; did you mean '%s'?", noun, word, nearest);
    return fail_usage(why, "unknown %s '%s'; %s", noun, word, where);
}

/* Prints the help if it is asked for. */
static bool explain(const struct options *options, char *const arguments[])
{
    help_form *form = NULL;
    for (; !form && *arguments && strcmp(*arguments, "--") != 0; arguments++)
        form = help_form_of(*arguments);
    if (!form)
        return false;
    struct text text = TEXT_EMPTY;
    form(&text, options);
    fputs(text_string(&text), stdout);
    text_free(&text);
    return true;
}

static int fail_unknown_option(const struct options *options, const char *name, size_t length,
                               struct failure *why)
{
    char **known = xcalloc(options->rule_count + 1, sizeof *known);
    size_t count = 0;
    for (size_t i = 0; i < options->rule_count; i++)
        known[count++] = xasprintf("--%s", options->rules[i].name);
    known[count++] = xstrdup("--help");

    char *given = xstrndup(name, length);
    options_unknown(why, "option", given, OPTIONS_HELP_SHOWS, (const char *const *)known, count);
    free(given);
    for (size_t i = 0; i < count; i++)
        free(known[i]);
    free(known);
    return -1;
}

/* The rule of "--name", "--name=value" or "-x"; *value is what follows '=', or NULL. */
static const struct option_rule *find_rule(const struct options *options, const char *argument,
                                           const char **value, struct failure *why)
{
    const char *equals = argument[1] == '-' ? strchr(argument, '=') : NULL;
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    *value = equals ? equals + 1 : NULL;

    for (size_t i = 0; i < options->rule_count; i++) {
        const struct option_rule *rule = &options->rules[i];
        if (argument[1] != '-') {
            if (rule->letter && length == 2 && argument[1] == rule->letter)
                return rule;
        } else if (strlen(rule->name) == length - 2 &&
                   memcmp(rule->name, argument + 2, length - 2) == 0) {
            return rule;
        }
    }
    fail_unknown_option(options, argument, length, why);
    return NULL;
}

static int set_integer(const struct option_rule *rule, const char *value, struct failure *why)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || number < rule->low || number > rule->high)
        return fail_usage(why, "--%s needs a whole number from %lld to %lld, not '%s'", rule->name,
                          (long long)rule->low, (long long)rule->high, value);
    *(int64_t *)rule->value = number;
    return 0;
}

static int set_seed(const struct option_rule *rule, const char *value, struct failure *why)
{
    if (!seed_parse(value, rule->value))
        return fail_usage(why, "--%s needs a whole number from 0 to 18446744073709551615, not '%s'",
                          rule->name, value);
    return 0;
}

static int set_choice(const struct option_rule *rule, const char *value, struct failure *why)
{
    const char *rest = rule->placeholder;
    struct placeholder_part part;
    while (placeholder_next(&rest, &part)) {
        if (strlen(value) == part.length && memcmp(value, part.at, part.length) == 0) {
            *(const char **)rule->value = value;
            return 0;
        }
    }
    return fail_usage(why, "--%s needs one of %s, not '%s'", rule->name, rule->placeholder, value);
}

static int set_value(const struct option_rule *rule, const char *value, struct failure *why)
{
    switch (rule->type) {
    case OPTION_INTEGER:
        return set_integer(rule, value, why);
    case OPTION_SEED:
        return set_seed(rule, value, why);
    case OPTION_CHOICE:
        return set_choice(rule, value, why);
    case OPTION_TEXT:
        *(const char **)rule->value = value;
        return 0;
    case OPTION_FLAG:
        break;
    }
    *(bool *)rule->value = true;
    return 0;
}

static int take_option(struct option_parse *parse)
{
    const char *value = NULL;
    const struct option_rule *rule =
        find_rule(parse->options, *parse->next++, &value, parse->why);
    if (!rule)
        return -1;
    if (rule->type == OPTION_FLAG && value) {
        fail_usage(parse->why, "--%s takes no value", rule->name);
    } else if (rule->type != OPTION_FLAG && !value &&
               (!*parse->next || strncmp(*parse->next, "--", 2) == 0)) {
        fail_usage(parse->why, "--%s needs a value", rule->name);
    } else {
        if (rule->type != OPTION_FLAG && !value)
            value = *parse->next++;
        return set_value(rule, value, parse->why);
    }
    return -1;
}

static int take_word(struct option_parse *parse)
{
    const struct options *options = parse->options;
    if (parse->word_count == options->most_words)
        return fail_usage(parse->why, "'%s' is one argument too many; see %s --help", *parse->next,
                          options->command);
    parse->words[parse->word_count++] = *parse->next++;
    return 0;
}

static int fail_missing_word(const struct option_parse *parse)
{
    const char *name = "", *before = "";
    size_t length = placeholder_of_word(parse->options->words, parse->word_count, &name);
    bool again = parse->word_count > 0 &&
                 placeholder_of_word(parse->options->words, parse->word_count - 1, &before) ==
                     length && strncmp(before, name, length) == 0;
    return fail_usage(parse->why, "%s%.*s is needed; see %s --help", again ? "another " : "",
                      (int)length, name, parse->options->command);
}

int options_parse(const struct options *options, char *const arguments[], const char *words[],
                  size_t *word_count, struct failure *why)
{
    if (explain(options, arguments))
        return 1;

    struct option_parse parse = {options, arguments, words, 0, why};
    bool only_words = false;
    while (*parse.next) {
        const char *argument = *parse.next;
        if (!only_words && strcmp(argument, "--") == 0) {
            only_words = true;
            parse.next++;
        } else if (only_words || argument[0] != '-' || argument[1] == '\0') {
            if (take_word(&parse) != 0)
                return -1;
        } else if (take_option(&parse) != 0) {
            return -1;
        }
    }
    if (parse.word_count < options->least_words)
        return fail_missing_word(&parse);
    if (word_count)
        *word_count = parse.word_count;
    return 0;
}
