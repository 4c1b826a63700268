#include "reports/report_csv.h"

#include <inttypes.h>
#include <string.h>

/* A field as RFC 4180 has it. */
static void add_field(struct text *text, const char *prefix, const char *name)
{
    bool quoted = strpbrk(name, ",\"\r\n") != NULL;
    text_addf(text, ",%s%s", quoted ? "\"" : "", prefix);
    for (const char *at = name; *at; at++) {
        if (*at == '"')
            text_add_char(text, '"');
        text_add_char(text, *at);
    }
    text_add(text, quoted ? "\"" : "");
}

void report_csv(struct text *text, const struct report_data *data)
{
    const struct report_predictions *all = &data->predictions;
    text_add(text, "image,label,predicted,correct,probability");
    for (int i = 0; i < data->classes; i++)
        add_field(text, "p_", data->class_names[i]);
    text_add_char(text, '\n');
    for (size_t image = 0; image < all->count; image++) {
        const double *probabilities = report_probabilities(data, image);
        int label = all->labels[image], predicted = all->predicted[image];
        text_addf(text, "%" PRId64, all->images[image]);
        add_field(text, "", data->class_names[label]);
        add_field(text, "", data->class_names[predicted]);
        text_addf(text, ",%d,%.9g", label == predicted, probabilities[predicted]);
        for (int i = 0; i < data->classes; i++)
            text_addf(text, ",%.9g", probabilities[i]);
        text_add_char(text, '\n');
    }
}
