#include "reports/report.h"

#include "common/file.h"
#include "common/text.h"
#include "reports/chart_confusion.h"
#include "reports/chart_curves.h"
#include "reports/gallery.h"
#include "reports/report_csv.h"
#include "reports/report_data.h"
#include "reports/report_html.h"
#include "reports/report_json.h"
#include "reports/report_markdown.h"
#include "reports/report_text.h"

#include <stdlib.h>

static void confusion_svg(struct text *text, const struct report_data *data)
{
    chart_confusion(text, &data->confusion, data->class_names, NULL, true);
}

/* The page last: whoever finds it finds everything else beside it. */
static const struct product {
    const char *name;
    void (*write)(struct text *text, const struct report_data *data);
} products[] = {
    {"report.txt", report_text},
    {"report.json", report_json},
    {"report.md", report_markdown},
    {"predictions.csv", report_csv},
    {"curves.svg", chart_curves},
    {"confusion.svg", confusion_svg},
    {"mistakes.png", gallery_mistakes_png},
    {"index.html", report_html},
};

static int write_product(const struct product *product, const struct report_data *data,
                         const char *folder, struct failure *why)
{
    struct text text = TEXT_EMPTY;
    char *path = path_join(folder, product->name);
    product->write(&text, data);
    const struct file_piece piece = {text_string(&text), text.length};
    int result = file_replace(path, &piece, 1, why);
    free(path);
    text_free(&text);
    return result;
}

int report_write(struct store *store, const char *study, const char *folder, struct failure *why)
{
    struct report_data data;
    if (report_data_read(store, study, &data, why) != 0)
        return -1;
    int result = folder_make(folder, why);
    for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(products); i++)
        result = write_product(&products[i], &data, folder, why);
    report_data_release(&data);
    return result;
}
