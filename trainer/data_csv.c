#include "trainer/data_csv.h"

#include "common/file.h"
#include "trainer/data_labels.h"

#include <stdlib.h>
#include <string.h>

enum { PIXELS_MOST = 1 << 24 };
static const size_t file_bytes_most = (size_t)8 << 30;

/* A file in memory; a zero byte ends it, which no number contains. */
struct csv {
    const char *path;
    char *bytes;
    const char *at, *end;
    size_t columns; /* of the line of names */
    bool labelled;
};

/* ---- The line of names ---- */

static int read_names(struct csv *csv, struct failure *why)
{
    const char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    csv->labelled = strncmp(csv->at, "label,", 6) == 0;
    if (!csv->labelled && strncmp(csv->at, "pixel", 5) != 0)
        return fail_input(why, "%s:1: the first line must name the columns, label,pixel0,pixel1,"
                          "... (or pixel0,pixel1,... without labels); put such a line first",
                          csv->path);
    if (!end)
        return fail_input(why, "%s: there are no images after the line of names; fetch the file "
                          "again", csv->path);
    csv->columns = 1;
    for (const char *c = csv->at; c < end; c++)
        csv->columns += *c == ',';
    csv->at = end + 1;
    return 0;
}

static int square_root(size_t pixels)
{
    size_t side = 1;
    while (side * side < pixels)
        side++;
    return (int)side;
}

/* Settles height and width by the number of columns. */
static int check_size(const struct csv *csv, int *height, int *width, struct failure *why)
{
    size_t pixels = csv->columns - csv->labelled;
    if (pixels > PIXELS_MOST)
        return fail_input(why, "%s:1: %zu pixels; the most are %d", csv->path, pixels,
                          PIXELS_MOST);
    if (*height == 0)
        *height = *width = square_root(pixels);
    if ((size_t)*height * (size_t)*width != pixels)
        return fail_input(why, "%s:1: %zu pixels are no image of %dx%d; set data.height and "
                          "data.width to what they are", csv->path, pixels, *height, *width);
    return 0;
}

static int csv_open(struct csv *csv, const char *path, struct failure *why)
{
    size_t size = 0;
    *csv = (struct csv){.path = path};
    if (file_read(path, file_bytes_most, &csv->bytes, &size, why) != 0)
        return -1;
    csv->at = csv->bytes;
    csv->end = csv->bytes + size;
    if (size >= 3 && memcmp(csv->at, "\xEF\xBB\xBF", 3) == 0)
        csv->at += 3; /* the mark of UTF-8, which spreadsheets put first */
    if (size == 0)
        return fail_input(why, "%s: the file is empty; fetch it again", path);
    return read_names(csv, why);
}

/* ---- The images ---- */

/* What stands at the fault, and where. */
static int fail_value(const struct csv *csv, const char *at, size_t line, size_t column,
                      int most, struct failure *why)
{
    char text[16] = "";
    for (size_t i = 0; i + 1 < sizeof text && at + i < csv->end && at[i] > ' ' && at[i] < 127 &&
                       at[i] != ','; i++)
        text[i] = at[i];
    return fail_input(why, "%s:%zu: column %zu holds '%s', not a whole number from 0 to %d; is the "
                      "file damaged?", csv->path, line, column + 1, text, most);
}

/* The number at `*at`, or -1; `*at` goes behind it.  Four digits cannot overflow. */
static int take_number(const char **at)
{
    const char *c = *at;
    int value = 0, digits = 0;
    for (; *c >= '0' && *c <= '9' && digits < 4; c++, digits++)
        value = value * 10 + (*c - '0');
    *at = c;
    return digits > 0 ? value : -1;
}

static int read_line(struct csv *csv, size_t line, uint16_t *label, uint8_t *pixels,
                     struct failure *why)
{
    const char *at = csv->at;
    for (size_t column = 0; column < csv->columns; column++) {
        bool is_label = csv->labelled && column == 0, last = column + 1 == csv->columns;
        const char *begin = at;
        int most = is_label ? DATA_CLASSES_MOST - 1 : UINT8_MAX, value = take_number(&at);
        if (last && *at == '\r')
            at++;
        bool ended = last ? *at == '\n' || at == csv->end : *at == ',';
        if (value >= 0 && !ended && (*at == ',' || *at == '\n' || *at == '\r' || at == csv->end))
            return fail_input(why, "%s:%zu: %s than the %zu values that the first line names; is "
                              "the file damaged?", csv->path, line, last ? "more" : "fewer",
                              csv->columns);
        if (value < 0 || value > most || !ended)
            return fail_value(csv, begin, line, column, most, why);
        if (is_label)
            *label = (uint16_t)value;
        else
            *pixels++ = (uint8_t)value;
        at += at < csv->end;
    }
    csv->at = at;
    return 0;
}

/* As many images as there are lines that begin; empty ones at the end do not count. */
static size_t count_lines(struct csv *csv)
{
    size_t count = 0;
    while (csv->end > csv->at && (csv->end[-1] == '\n' || csv->end[-1] == '\r'))
        csv->end--;
    for (const char *c = csv->at; c && c < csv->end; count++) {
        c = memchr(c, '\n', (size_t)(csv->end - c));
        c = c ? c + 1 : NULL;
    }
    csv->bytes[csv->end - csv->bytes] = '\0';
    return count;
}

/* No more memory is asked for than the file is long. */
static int read_images(struct csv *csv, struct image_set *set, struct failure *why)
{
    size_t pixels = csv->columns - csv->labelled, lines = count_lines(csv);
    if (lines == 0)
        return fail_input(why, "%s: there are no images after the line of names; fetch the file "
                          "again", csv->path);
    if (lines > (size_t)(csv->end - csv->at) / csv->columns + 1)
        return fail_input(why, "%s: the lines are shorter than the %zu values that the first line "
                          "names; is the file damaged?", csv->path, csv->columns);
    set->pixels = xreallocarray(NULL, lines, pixels);
    if (csv->labelled)
        set->labels = xreallocarray(NULL, lines, sizeof *set->labels);
    for (size_t i = 0; i < lines; i++) {
        if (read_line(csv, i + 2, csv->labelled ? &set->labels[i] : NULL,
                      set->pixels + i * pixels, why) != 0)
            return -1;
    }
    set->count = lines;
    return 0;
}

int data_csv_load(const char *path, int height, int width, uint64_t seed,
                  struct dataset *dataset, struct failure *why)
{
    struct csv csv;
    int result = csv_open(&csv, path, why);
    if (result == 0 && !csv.labelled)
        result = fail_input(why, "%s:1: there is no column `label`; train on the file with labels "
                            "and let `trainer predict --submission` answer this one", path);
    if (result == 0)
        result = check_size(&csv, &height, &width, why);
    if (result == 0)
        result = read_images(&csv, &dataset->training, why);
    free(csv.bytes);
    if (result != 0 ||
        data_labels_check(path, &dataset->training, &dataset->classes, why) != 0)
        return -1;
    dataset->height = height;
    dataset->width = width;
    dataset->channels = 1;
    return data_hold_out_test(path, dataset, seed, why);
}

int data_csv_read_images(const char *path, int height, int width, struct image_set *set,
                         struct failure *why)
{
    struct csv csv;
    int result = csv_open(&csv, path, why);
    if (result == 0 && csv.labelled)
        result = fail_input(why, "%s:1: this file has labels; give the one without, such as "
                            "Kaggle's test.csv", path);
    if (result == 0 && csv.columns != (size_t)height * (size_t)width)
        result = fail_input(why, "%s:1: %zu pixels, but the network takes images of %dx%d; give it "
                            "images of the size that it was trained on", path, csv.columns,
                            height, width);
    if (result == 0)
        result = read_images(&csv, set, why);
    free(csv.bytes);
    return result;
}
