#include "common/commands.h"

#include "common/completion.h"
#include "common/help.h"
#include "common/manual.h"
#include "common/options.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding one ---- */

static void refuse_option(const char *name, struct failure *why)
{
    static const char *const known[] = {"--help", "--version"};
    options_unknown(why, "option", name, "the options of a command stand behind it", known,
                    ARRAY_LENGTH(known));
}

static const struct command *find(const struct commands *commands, const char *name,
                                  struct failure *why)
{
    const char **names = xcalloc(commands->count + 1, sizeof *names);
    const struct command *found = NULL;
    size_t shown = 0;
    for (size_t i = 0; i < commands->count && !found; i++) {
        if (strcmp(commands->list[i].name, name) == 0)
            found = &commands->list[i];
        else if (commands->list[i].summary)
            names[shown++] = commands->list[i].name;
    }
    names[shown++] = "help";
    if (!found && *name == '-')
        refuse_option(name, why);
    else if (!found)
        options_unknown(why, "command", name, OPTIONS_HELP_SHOWS, names, shown);
    free(names);
    return found;
}

/* ---- the program's own help ---- */

static char *label(const struct command *command)
{
    return xasprintf("%s%s%s", command->name, *command->words ? " " : "", command->words);
}

static const char help_words[] = "help [COMMAND]";

static size_t column_of_summaries(const struct commands *commands)
{
    size_t column = strlen(help_words) + 4;
    for (size_t i = 0; i < commands->count; i++) {
        if (!commands->list[i].summary)
            continue;
        char *words = label(&commands->list[i]);
        if (strlen(words) + 4 > column)
            column = strlen(words) + 4;
        free(words);
    }
    return column;
}

static void add_list(struct text *text, const struct commands *commands)
{
    size_t column = column_of_summaries(commands);
    for (size_t i = 0; i < commands->count; i++) {
        const struct command *command = &commands->list[i];
        if (!command->summary)
            continue;
        if (command->heading)
            text_addf(text, "\n%s\n", command->heading);
        char *words = label(command);
        help_add_row(text, words, column, command->summary);
        free(words);
    }
    text_add_char(text, '\n');
    help_add_row(text, help_words, column, "this, or what a command does");
}

static void print_help(const struct commands *commands, FILE *file)
{
    struct text text = TEXT_EMPTY;
    help_add_examples(&text, commands->examples);
    text_addf(&text, "\nUsage: %s COMMAND [OPTIONS] ...\n\n", commands->program);
    add_list(&text, commands);
    text_add_char(&text, '\n');
    help_add_text(&text, commands->notes);
    help_add_exit_codes(&text, commands->exit_codes);
    fputs(text_string(&text), file);
    text_free(&text);
}

/* ---- help: of this or that, in any form ---- */

/* A whole made of what each command says to `ask`, and what comes before and after. */
struct page {
    const char *name, *ask;
    void (*add_head)(struct text *text, const struct commands *commands);
    void (*add_foot)(struct text *text, const struct commands *commands);
};

static const struct page manual_page = {"man", "--help=man", manual_add_head, manual_add_foot};
static const struct page completions[] = {
    {"bash", "--help=bash", completion_add_bash_head, completion_add_bash_foot},
    {"zsh", "--help=zsh", completion_add_zsh_head, completion_add_zsh_foot},
};

static enum exit_code print_page(const struct commands *commands, const struct page *page,
                                 const struct options *help, struct failure *why)
{
    char *ask = xstrdup(page->ask), *const question[] = {ask, NULL};
    struct text text = TEXT_EMPTY;
    enum exit_code code = EXIT_DONE;
    page->add_head(&text, commands);
    fputs(text_string(&text), stdout);
    for (size_t i = 0; i < commands->count && code == EXIT_DONE; i++) {
        if (commands->list[i].summary)
            code = commands->list[i].run(question, why);
    }
    text_clear(&text);
    help_form_of(ask)(&text, help);
    page->add_foot(&text, commands);
    fputs(text_string(&text), stdout);
    text_free(&text);
    free(ask);
    return code;
}

static const struct page *find_page(bool manual, const char *shell)
{
    for (size_t i = 0; i < ARRAY_LENGTH(completions) && shell; i++) {
        if (strcmp(shell, completions[i].name) == 0)
            return &completions[i];
    }
    return manual ? &manual_page : NULL;
}

/* `help COMMAND` is COMMAND --help. */
static enum exit_code explain(const struct commands *commands, const char *name,
                              struct failure *why)
{
    char ask[] = "--help", *const question[] = {ask, NULL};
    const struct command *command = find(commands, name, why);
    return command ? command->run(question, why) : EXIT_BAD_USAGE;
}

static enum exit_code run_help(const struct commands *commands, char *const arguments[],
                               struct failure *why)
{
    bool manual = false;
    const char *shell = NULL, *name = NULL;
    const struct page *page = NULL;
    const struct option_rule rules[] = {
        {"man", 0, OPTION_FLAG, &manual, 0, 0, NULL, "the manual page, in man's own markup"},
        {"completion", 0, OPTION_CHOICE, &shell, 0, 0, "bash|zsh",
         "what lets a shell complete commands, options and their values"},
    };
    char *own_name = xasprintf("%s help", commands->program);
    char *examples = xasprintf("source <(%s help --completion bash)\n", commands->program);
    const struct options options = {
        own_name, rules, ARRAY_LENGTH(rules), "COMMAND", 0, 1, .examples = examples,
        .about = "Shows what the program, or one of its commands, does.\n"};
    enum exit_code code = EXIT_DONE;
    if (options_parse(&options, arguments, &name, NULL, why) != 0)
        code = why->code;
    else if ((page = find_page(manual, shell)) != NULL)
        code = print_page(commands, page, &options, why);
    else if (name && strcmp(name, "help") != 0)
        code = explain(commands, name, why);
    else
        print_help(commands, stdout);
    free(examples);
    free(own_name);
    return code;
}

enum exit_code commands_run(const struct commands *commands, char *const arguments[],
                            struct failure *why)
{
    const char *name = arguments[0];
    if (!name) {
        print_help(commands, stderr);
        return EXIT_BAD_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(commands, stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("%s %s\n", commands->program, commands->version);
        return EXIT_DONE;
    }
    if (strcmp(name, "help") == 0)
        return run_help(commands, arguments + 1, why);
    const struct command *command = find(commands, name, why);
    return command ? command->run(arguments + 1, why) : EXIT_BAD_USAGE;
}
