#include "tuner/csv.h"

#include "common/file.h"
#include "tuner/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_MOST = 256 << 20, /* bytes */
    COLUMNS_MOST = 2000    /* as in SQLite */
};

/* ---- writing ---- */

void csv_add(struct text *line, const char *cell, bool first)
{
    if (!first)
        text_add_char(line, ',');
    if (!cell)
        return;
    if (*cell && !strpbrk(cell, ",\"\r\n")) {
        text_add(line, cell);
        return;
    }
    text_add_char(line, '"');
    for (; *cell; cell++) {
        if (*cell == '"')
            text_add_char(line, '"');
        text_add_char(line, *cell);
    }
    text_add_char(line, '"');
}

void csv_end_line(struct text *line)
{
    text_add(line, "\r\n");
}

/* ---- reading ---- */

/* How far a file has been read. */
struct reading {
    const char *path;
    const char *at, *end;
    size_t line;             /* of `at`, from 1 */
    char **cells;            /* all so far, those of the first line among them */
    size_t count, capacity;
    struct failure *why;
};

static int fail_line(struct reading *reading, size_t line, const char *what)
{
    return fail_input(reading->why, "%s:%zu: %s", reading->path, line, what);
}

static void add_cell(struct reading *reading, struct text *cell)
{
    if (reading->count == reading->capacity) {
        reading->capacity = reading->capacity ? 2 * reading->capacity : 256;
        reading->cells =
            xreallocarray(reading->cells, reading->capacity, sizeof *reading->cells);
    }
    reading->cells[reading->count++] = text_take(cell);
}

/* The end of a line at `at`: its length, or 0. */
static size_t line_end(const struct reading *reading)
{
    if (*reading->at == '\n')
        return 1;
    return reading->end - reading->at > 1 && memcmp(reading->at, "\r\n", 2) == 0 ? 2 : 0;
}

static int read_quoted(struct reading *reading, struct text *cell)
{
    size_t begin = reading->line;
    for (reading->at++; reading->at < reading->end; reading->at++) {
        if (*reading->at == '"' && (++reading->at == reading->end || *reading->at != '"'))
            return 0;
        reading->line += *reading->at == '\n';
        text_add_char(cell, *reading->at);
    }
    return fail_line(reading, begin, "a quote is opened here and not closed");
}

static int read_cell(struct reading *reading)
{
    struct text cell = TEXT_EMPTY;
    int result = 0;
    if (reading->at < reading->end && *reading->at == '"') {
        result = read_quoted(reading, &cell);
        if (result == 0 && reading->at < reading->end && *reading->at != ',' && !line_end(reading))
            result = fail_line(reading, reading->line,
                               "a comma or the end of the line is needed after a closing quote");
    } else {
        while (reading->at < reading->end && *reading->at != ',' && !line_end(reading))
            text_add_char(&cell, *reading->at++);
    }
    add_cell(reading, &cell);
    return result;
}

/* The cells of one line. */
static int read_line(struct reading *reading)
{
    for (;;) {
        if (read_cell(reading) < 0)
            return -1;
        if (reading->at == reading->end)
            return 0;
        if (*reading->at != ',')
            break;
        reading->at++;
    }
    reading->at += line_end(reading);
    reading->line++;
    return 0;
}

static bool skip_empty_line(struct reading *reading)
{
    size_t end = line_end(reading);
    reading->at += end;
    reading->line += end > 0;
    return end > 0;
}

static int read_lines(struct reading *reading, size_t *columns)
{
    while (reading->at < reading->end) {
        size_t line = reading->line, before = reading->count;
        if (skip_empty_line(reading))
            continue;
        if (read_line(reading) < 0)
            return -1;
        size_t found = reading->count - before;
        if (before == 0 && found > COLUMNS_MOST)
            return fail_line(reading, line, "there are more than 2000 columns");
        if (before == 0)
            *columns = found;
        if (found != *columns)
            return fail_input(reading->why, "%s:%zu: the line has %zu cells, the first has %zu",
                              reading->path, line, found, *columns);
    }
    if (reading->count == 0)
        return fail_line(reading, 1, "the file is empty; a line of names is needed");
    return 0;
}

/* Text that is no UTF-8 could not be recorded. */
static int check_characters(struct reading *reading)
{
    size_t line = 1;
    for (const char *at = reading->at; at < reading->end;) {
        uint32_t character = 0;
        size_t length = utf8_decode((const unsigned char *)at, (size_t)(reading->end - at),
                                    &character);
        if (length == 0 || character == 0)
            return fail_line(reading, line, "the file is no UTF-8 text");
        line += character == '\n';
        at += length;
    }
    return 0;
}

static void take(struct csv *csv, const struct reading *reading, size_t columns)
{
    csv->names = reading->cells;
    csv->cells = reading->cells + columns;
    csv->columns = columns;
    csv->rows = reading->count / columns - 1;
}

int csv_read(const char *path, struct csv *csv, struct failure *why)
{
    char *bytes = NULL;
    size_t size = 0, columns = 0;
    if (file_read(path, FILE_MOST, &bytes, &size, why) < 0)
        return -1;
    struct reading reading = {.path = path, .at = bytes, .end = bytes + size, .line = 1,
                              .why = why};
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        reading.at += 3;
    int result = check_characters(&reading) < 0 ? -1 : read_lines(&reading, &columns);
    if (result == 0) {
        take(csv, &reading, columns);
    } else {
        for (size_t i = 0; i < reading.count; i++)
            free(reading.cells[i]);
        free(reading.cells);
    }
    free(bytes);
    return result;
}

void csv_release(struct csv *csv)
{
    for (size_t i = 0; i < (csv->rows + 1) * csv->columns; i++)
        free(csv->names[i]);
    free(csv->names);
    *csv = (struct csv){0};
}
