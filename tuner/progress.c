#include "tuner/progress.h"

#include "common/text.h"
#include "reports/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    DRAW_MS = 100,
    BAR_CELLS = 28,
    WIDTH_DEFAULT = 80,
    HEIGHT_DEFAULT = 24,
    ROWS_ELSE = 5, /* of the table beside the workers', and the one that the cursor is in */
};

struct progress {
    bool quiet, terminal;
    size_t *columns;      /* of each line of the table on the screen */
    size_t lines, room;
    int64_t drawn_ms;
    double began;         /* clock_seconds() of the first drawing */
    int64_t epochs_began; /* epochs that were there then */
};

struct progress *progress_new(bool quiet)
{
    struct progress *progress = xcalloc(1, sizeof *progress);
    const char *kind = getenv("TERM");
    progress->quiet = quiet;
    progress->terminal = isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
    return progress;
}

static struct winsize screen(void)
{
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        size.ws_col = WIDTH_DEFAULT;
    if (size.ws_row == 0)
        size.ws_row = HEIGHT_DEFAULT;
    return size;
}

/* Takes the table off the screen.  A terminal that has become narrower since has wrapped it. */
static void erase(struct progress *progress)
{
    size_t rows = progress->lines, width = screen().ws_col;
    for (size_t i = 0; i < progress->lines; i++)
        rows += progress->columns[i] > 0 ? (progress->columns[i] - 1) / width : 0;
    if (rows > 0)
        fprintf(stderr, "\033[%zuA\r\033[J", rows);
    progress->lines = 0;
}

void progress_free(struct progress *progress)
{
    if (progress == NULL)
        return;
    erase(progress);
    free(progress->columns);
    free(progress);
}

void progress_line(struct progress *progress, const char *format, ...)
{
    va_list arguments;
    char *line;
    if (progress->quiet)
        return;
    erase(progress);
    va_start(arguments, format);
    line = xvasprintf(format, arguments);
    va_end(arguments);
    make_visible(line);
    fprintf(stderr, "%s\n", line);
    free(line);
}

/* A line of the table, cut to the screen so that it never wraps. */
static void put(struct progress *progress, struct text *line)
{
    size_t width = screen().ws_col - 1, columns;
    struct text cut = TEXT_EMPTY;
    make_visible(line->at);
    columns = columns_count(text_string(line));
    columns_cut(&cut, text_string(line), columns > width ? width - 1 : width);
    fprintf(stderr, "%s%s\n", text_string(&cut), columns > width ? "\xE2\x80\xA6" : "");
    if (progress->lines == progress->room) {
        progress->room = 2 * progress->room + 8;
        progress->columns = xrealloc(progress->columns,
                                     progress->room * sizeof *progress->columns);
    }
    progress->columns[progress->lines++] = columns > width ? width : columns;
    text_free(&cut);
    text_clear(line);
}

static void add_duration(struct text *line, double seconds)
{
    int whole = (int)(seconds + 0.5);
    if (whole >= 3600)
        text_addf(line, "%d h %02d min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        text_addf(line, "%d min %02d s", whole / 60, whole % 60);
    else
        text_addf(line, "%d s", whole);
}

static void add_bar(struct text *line, double share)
{
    int i, full = (int)(share * BAR_CELLS + 0.5);
    text_add_char(line, '[');
    for (i = 0; i < BAR_CELLS; i++)
        text_add_char(line, i < full ? '#' : '.');
    text_addf(line, "] %3d %%", (int)(share * 100));
}

static int64_t integer_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* Time left, from the epochs since this run began. */
static void add_time_left(const struct progress *progress, const json_t *study, struct text *line)
{
    double elapsed = clock_seconds() - progress->began;
    int64_t done = integer_of(study, "epochs_done") - progress->epochs_began;
    int64_t left = integer_of(study, "epochs_planned") - integer_of(study, "epochs_done");
    if (done > 0 && left > 0) {
        text_add(line, ", about ");
        add_duration(line, elapsed / (double)done * (double)left);
        text_add(line, " left");
    }
}

static void add_parameters(struct text *line, const json_t *parameters)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)parameters, name, value) {
        if (json_is_real(value)) {
            text_addf(line, "  %s=%.4g", name, json_real_value(value));
        } else {
            char *shown = json_dumps(value, JSON_ENCODE_ANY);
            text_addf(line, "  %s=%s", name, shown);
            free(shown);
        }
    }
}

static void draw_summary(struct progress *progress, const json_t *study, bool ending,
                         struct text *line)
{
    int64_t done = integer_of(study, "epochs_done"), planned = integer_of(study, "epochs_planned");
    double share = planned > 0 ? (double)done / (double)planned : 0;
    text_addf(line, "%s  ", text_of(study, "study"));
    add_bar(line, share > 1 ? 1 : share);
    text_addf(line, "  %lld of %lld epochs", (long long)done, (long long)planned);
    add_time_left(progress, study, line);
    put(progress, line);
    text_addf(line, "trials: %lld of %lld ended", (long long)integer_of(study, "trials_ended"),
              (long long)integer_of(study, "trials_planned"));
    if (integer_of(study, "trials_failed") > 0)
        text_addf(line, ", %lld failed", (long long)integer_of(study, "trials_failed"));
    if (ending)
        text_add(line, "  -- stopping after the epochs in hand");
    else if (*text_of(study, "waiting") != '\0')
        text_addf(line, "  -- %s", text_of(study, "waiting"));
    put(progress, line);
}

static void draw_slot(struct progress *progress, const json_t *slot, struct text *line)
{
    const json_t *latest = json_object_get(slot, "latest");
    int64_t number = integer_of(slot, "worker"), to_epoch = integer_of(slot, "to_epoch");
    if (!json_is_integer(json_object_get(slot, "trial"))) {
        text_addf(line, "%6lld  %-17s", (long long)number, text_of(slot, "activity"));
        put(progress, line);
        return;
    }
    text_addf(line, "%6lld  %-17s %5lld  ", (long long)number, text_of(slot, "activity"),
              (long long)integer_of(slot, "trial"));
    if (to_epoch > 0)
        text_addf(line, "%4lld/%-4lld", (long long)integer_of(slot, "epoch"),
                  (long long)to_epoch);
    else
        text_add(line, "         ");
    if (json_is_real(latest))
        text_addf(line, "  %.4f", json_real_value(latest));
    else
        text_add(line, "       -");
    add_parameters(line, json_object_get(slot, "parameters"));
    put(progress, line);
}

/* As many workers as there are rows for: what scrolled away could not be taken back. */
static void draw_slots(struct progress *progress, const json_t *slots, struct text *line)
{
    size_t rows = screen().ws_row, count = json_array_size(slots);
    size_t most = rows > ROWS_ELSE + 2 ? rows - ROWS_ELSE : 2;
    size_t shown = count > most ? most - 1 : count;
    for (size_t i = 0; i < shown; i++)
        draw_slot(progress, json_array_get(slots, i), line);
    if (shown < count) {
        text_addf(line, "        and %zu more workers", count - shown);
        put(progress, line);
    }
}

static void draw_best(struct progress *progress, const json_t *study, struct text *line)
{
    const json_t *best = json_object_get(study, "best");
    int64_t epochs = integer_of(best, "epochs");
    if (!json_is_object(best))
        return;
    text_addf(line, "  best  trial %lld, %s %.4f after %lld epoch%s ",
              (long long)integer_of(best, "trial"), text_of(study, "metric"),
              json_number_value(json_object_get(best, "value")), (long long)epochs,
              epochs == 1 ? "" : "s");
    add_parameters(line, json_object_get(best, "parameters"));
    put(progress, line);
}

bool progress_due(const struct progress *progress)
{
    return !progress->quiet && progress->terminal && clock_ms() - progress->drawn_ms >= DRAW_MS;
}

void progress_draw(struct progress *progress, const json_t *status)
{
    const json_t *study = json_array_get(json_object_get(status, "studies"), 0);
    struct text line = TEXT_EMPTY;
    if (progress->drawn_ms == 0) {
        progress->began = clock_seconds();
        progress->epochs_began = integer_of(study, "epochs_done");
    }
    progress->drawn_ms = clock_ms();
    erase(progress);
    if (study != NULL) {
        draw_summary(progress, study, json_is_true(json_object_get(status, "ending")), &line);
        text_addf(&line, "worker  state             trial    epoch   value  parameters");
        put(progress, &line);
        draw_slots(progress, json_object_get(status, "slots"), &line);
        draw_best(progress, study, &line);
    }
    fflush(stderr);
    text_free(&line);
}
