#include "reports/html.h"

#include "reports/escape.h"

#include <stdlib.h>
#include <string.h>

enum { NEVER_CUT = 24 /* bytes of a value that stands on one line, such as any number */ };

void html_element(struct text *text, const char *tag, const char *class, const char *content)
{
    text_addf(text, "<%s", tag);
    if (class)
        text_addf(text, " class=\"%s\"", class);
    text_add_char(text, '>');
    escape_markup(text, content);
    text_addf(text, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void html_take(struct text *text, const char *tag, const char *class, char *content)
{
    html_element(text, tag, class, content);
    free(content);
}

void html_setting(struct text *text, const char *name, char *value)
{
    text_add(text, "<tr>");
    html_element(text, "th scope=\"row\"", NULL, name);
    html_take(text, "td", strlen(value) <= NEVER_CUT ? "short" : NULL, value);
    text_add(text, "</tr>\n");
}
