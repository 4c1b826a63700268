#include "common/completion.h"

#include "common/embed.h"
#include "common/placeholder.h"

#include <string.h>

extern const char completion_bash[], completion_zsh[];
EMBED(completion_bash, "common/completion.bash");
EMBED(completion_zsh, "common/completion.zsh");

/* How each shell is told what can stand somewhere: bash in the words that completion.bash
 * knows, zsh as a command that adds matches; "@PROGRAM@" is the program's name. */
static const struct {
    enum placeholder_kind kind;
    const char *bash, *zsh;
} kinds[] = {
    {PLACEHOLDER_FILE, "@files", "_files"},
    {PLACEHOLDER_FOLDER, "@folders", "_files -/"},
    {PLACEHOLDER_PROGRAM, "@programs", "_command_names -e; _files"},
    {PLACEHOLDER_STUDY, "@studies", "_@PROGRAM@_studies"},
    {PLACEHOLDER_QUERY, "@queries", "_@PROGRAM@_queries"},
    {PLACEHOLDER_COMMAND, "@commands", "_@PROGRAM@_commands"},
};

/* Adds a script, in which @PROGRAM@ is a program's name. */
static void add_script(struct text *text, const char *script, const char *program,
                       size_t length)
{
    static const char mark[] = "@PROGRAM@";
    for (const char *at = strstr(script, mark); at; at = strstr(script, mark)) {
        text_add_bytes(text, script, (size_t)(at - script));
        text_add_bytes(text, program, length);
        script = at + sizeof mark - 1;
    }
    text_add(text, script);
}

/* "tuner run" is the command `run` of a program whose name has this length. */
static size_t program_length(const struct options *options)
{
    return strcspn(options->command, " ");
}

static const char *command_name(const struct options *options)
{
    return options->command + program_length(options) + 1;
}

/* ---- bash ---- */

/* Adds what can stand for a placeholder, "mnist|@files". */
static void add_bash_kinds(struct text *text, const char *placeholder)
{
    struct placeholder_part part;
    const char *separator = "";
    while (placeholder_next(&placeholder, &part)) {
        text_add(text, separator);
        separator = "|";
        if (part.kind == PLACEHOLDER_CHOICE)
            text_add_bytes(text, part.at, part.length);
        for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
            if (part.kind == kinds[i].kind)
                text_add(text, kinds[i].bash);
        }
        if (part.ending_length > 0)
            text_addf(text, ":%.*s", (int)part.ending_length, part.ending);
    }
}

static void add_bash_option(struct text *text, const struct option_rule *rule)
{
    text_addf(text, " '--%s", rule->name);
    for (int form = 0; form < (rule->letter ? 2 : 1); form++) {
        if (form == 1)
            text_addf(text, " '-%c", rule->letter);
        if (rule->placeholder) {
            text_add_char(text, '=');
            add_bash_kinds(text, rule->placeholder);
        }
        text_add_char(text, '\'');
    }
}

void completion_add_bash(struct text *text, const struct options *options)
{
    const char *words = options->words;
    text_addf(text, "    %s)\n        words=(", command_name(options));
    while (words && *words) {
        size_t length = strcspn(words, " ");
        text_add_char(text, '\'');
        add_bash_kinds(text, words);
        text_add(text, length > 3 && strncmp(words + length - 3, "...", 3) == 0 ? "...' " : "' ");
        words += length + strspn(words + length, " ");
    }
    text_add(text, ")\n        options=(");
    for (size_t i = 0; i < options->rule_count; i++)
        add_bash_option(text, &options->rules[i]);
    text_add(text, " --help)\n        ;;\n");
}

void completion_add_bash_head(struct text *text, const struct commands *commands)
{
    text_addf(text, "# Completion for bash, as `%s help --completion bash` prints it.\n\n"
              "# What a command takes: its words, and its options with what follows '='.\n"
              "_%s_table()\n{\n    commands='", commands->program, commands->program);
    for (size_t i = 0; i < commands->count; i++) {
        if (commands->list[i].summary)
            text_addf(text, "%s ", commands->list[i].name);
    }
    text_add(text, "help'\n    words=() options=()\n    case $1 in\n"
             "    '')\n        words=('@commands')\n        options=(--help --version)\n"
             "        ;;\n");
}

void completion_add_bash_foot(struct text *text, const struct commands *commands)
{
    text_add(text, "    esac\n}\n");
    add_script(text, completion_bash, commands->program, strlen(commands->program));
}

/* ---- zsh ---- */

/* Adds a part of a word in single quotes; _arguments takes colons and brackets for itself. */
static void add_zsh_quoted(struct text *text, const char *piece)
{
    for (; *piece; piece++) {
        if (strchr("[]:\\", *piece))
            text_add_char(text, '\\');
        if (*piece == '\'')
            text_add(text, "'\\'");
        text_add_char(text, *piece);
    }
}

/* Adds ":PLACEHOLDER:{what adds matches}'", of the first placeholder of a list. */
static void add_zsh_action(struct text *text, const struct options *options,
                           const char *placeholder)
{
    struct placeholder_part part;
    const char *separator = "";
    text_addf(text, ":%.*s:{", (int)strcspn(placeholder, " "), placeholder);
    for (; placeholder_next(&placeholder, &part); separator = "; ") {
        text_add(text, separator);
        if (part.kind == PLACEHOLDER_CHOICE)
            text_addf(text, "compadd %.*s", (int)part.length, part.at);
        if (part.kind == PLACEHOLDER_OTHER)
            text_add(text, "true"); /* nothing, and all is well */
        for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
            if (part.kind == kinds[i].kind)
                add_script(text, kinds[i].zsh, options->command, program_length(options));
        }
        if (part.ending_length > 0)
            text_addf(text, " -g \"*%.*s\"", (int)part.ending_length, part.ending);
    }
    text_add(text, "}'");
}

static void add_zsh_option(struct text *text, const struct options *options,
                           const struct option_rule *rule)
{
    const char *equals = rule->placeholder ? "=" : "";
    text_add(text, " \\\n            ");
    if (rule->letter)
        text_addf(text, "'(-%c --%s)'{-%c,--%s%s}'[", rule->letter, rule->name, rule->letter,
                  rule->name, equals);
    else
        text_addf(text, "'--%s%s[", rule->name, equals);
    add_zsh_quoted(text, rule->help);
    text_add_char(text, ']');
    if (rule->placeholder)
        add_zsh_action(text, options, rule->placeholder);
    else
        text_add_char(text, '\'');
}

static void add_zsh_words(struct text *text, const struct options *options)
{
    const char *words = options->words;
    for (int i = 1; words && *words; i++) {
        size_t length = strcspn(words, " ");
        bool many = length > 3 && strncmp(words + length - 3, "...", 3) == 0;
        if (many)
            text_add(text, " \\\n            '*");
        else
            text_addf(text, " \\\n            '%d", i);
        add_zsh_action(text, options, words);
        words += length + strspn(words + length, " ");
    }
}

void completion_add_zsh(struct text *text, const struct options *options)
{
    text_addf(text, "    %s)\n        _arguments '(-h --help)'{-h,--help}'[show what it does]'",
              command_name(options));
    for (size_t i = 0; i < options->rule_count; i++)
        add_zsh_option(text, options, &options->rules[i]);
    add_zsh_words(text, options);
    text_add(text, "\n        ;;\n");
}

void completion_add_zsh_head(struct text *text, const struct commands *commands)
{
    text_addf(text, "#compdef %s\n# Completion for zsh, as `%s help --completion zsh` prints it."
              "\n\n_%s_commands()\n{\n    local commands=(", commands->program,
              commands->program, commands->program);
    for (size_t i = 0; i < commands->count; i++) {
        if (!commands->list[i].summary)
            continue;
        text_addf(text, "\n        '%s:", commands->list[i].name);
        add_zsh_quoted(text, commands->list[i].summary);
        text_add_char(text, '\'');
    }
    text_addf(text, "\n        'help:this, or what a command does'\n    )\n"
              "    _describe command commands\n}\n\n"
              "_%s_arguments() # command\n{\n    case $1 in\n", commands->program);
}

void completion_add_zsh_foot(struct text *text, const struct commands *commands)
{
    text_add(text, "    esac\n}\n");
    add_script(text, completion_zsh, commands->program, strlen(commands->program));
}
