#include "reports/reproduce.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* A path as a shell takes it for one word. */
static char *shell_word(const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_./-+=:,@%";
    if (*word && *word != '-' && strspn(word, plain) == strlen(word))
        return xstrdup(word);
    struct text quoted = TEXT_EMPTY;
    text_add_char(&quoted, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            text_add(&quoted, "'\\''");
        else
            text_add_char(&quoted, *word);
    }
    text_add_char(&quoted, '\'');
    return text_take(&quoted);
}

char *reproduce_command(const struct report_data *data)
{
    char *file = shell_word(data->file);
    char *command = xasprintf("tuner run %s", file);
    free(file);
    return command;
}

static void add_new(json_t *list, const char *string)
{
    size_t index;
    json_t *known;
    if (!string || !*string)
        return;
    json_array_foreach(list, index, known)
        if (strcmp(json_string_value(known), string) == 0)
            return;
    json_array_append_new(list, json_string(string));
}

json_t *reproduce_versions(const struct report_data *data)
{
    json_t *versions = json_array(), *worker;
    size_t index;
    json_array_foreach(data->workers, index, worker)
        add_new(versions, json_string_value(json_object_get(worker, "program")));
    return versions;
}

json_t *reproduce_arithmetic(const struct report_data *data)
{
    json_t *arithmetic = json_copy(data->arithmetics);
    add_new(arithmetic, data->arithmetic);
    return arithmetic;
}

char *reproduce_list(const json_t *strings)
{
    struct text text = TEXT_EMPTY;
    size_t index;
    json_t *string;
    json_array_foreach(strings, index, string)
        text_addf(&text, "%s%s", index == 0 ? "" : ", ", json_string_value(string));
    return text_take(&text);
}
