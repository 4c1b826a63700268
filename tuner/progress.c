#include "tuner/progress.h"

#include "common/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DRAW_MS = 100, BAR_CELLS = 28, WIDTH_DEFAULT = 80 };

struct progress {
    bool quiet, terminal;
    int lines;            /* of the table on the screen */
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

/* Takes the table off the screen. */
static void erase(struct progress *progress)
{
    if (progress->lines > 0)
        fprintf(stderr, "\033[%dA\r\033[J", progress->lines);
    progress->lines = 0;
}

void progress_free(struct progress *progress)
{
    if (progress == NULL)
        return;
    erase(progress);
    free(progress);
}

void progress_line(struct progress *progress, const char *format, ...)
{
    va_list arguments;
    if (progress->quiet)
        return;
    erase(progress);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static size_t screen_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return WIDTH_DEFAULT;
}

/* A line of the table, cut to the screen so that it never wraps. */
static void put(struct progress *progress, struct text *line)
{
    size_t width = screen_width() - 1;
    fprintf(stderr, "%.*s\n", (int)width, text_string(line));
    progress->lines++;
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

/* Time left, from the epochs since this run began. */
static void add_time_left(const struct progress *progress, const struct progress_state *state,
                          struct text *line)
{
    double elapsed = clock_seconds() - progress->began;
    int64_t done = state->epochs_done - progress->epochs_began;
    int64_t left = state->epochs_planned - state->epochs_done;
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

static void draw_summary(struct progress *progress, const struct progress_state *state,
                         struct text *line)
{
    double share = state->epochs_planned > 0
                       ? (double)state->epochs_done / (double)state->epochs_planned : 0;
    text_addf(line, "%s  ", state->study);
    add_bar(line, share > 1 ? 1 : share);
    text_addf(line, "  %lld of %lld epochs", (long long)state->epochs_done,
              (long long)state->epochs_planned);
    add_time_left(progress, state, line);
    put(progress, line);
    text_addf(line, "trials: %d of %d ended", state->trials_ended, state->trials_planned);
    if (state->trials_failed > 0)
        text_addf(line, ", %d failed", state->trials_failed);
    if (state->stopping)
        text_add(line, "  -- stopping after the epochs in hand");
    put(progress, line);
}

static void draw_row(struct progress *progress, const struct progress_row *row, int number,
                     struct text *line)
{
    if (row->trial == NULL) {
        text_addf(line, "%6d  %-17s", number, row->activity[0] != '\0' ? row->activity : "idle");
        put(progress, line);
        return;
    }
    text_addf(line, "%6d  %-17s %5d  ", number, row->activity, row->trial->number);
    if (row->to_epoch > 0)
        text_addf(line, "%4d/%-4d", row->epoch, row->to_epoch);
    else
        text_add(line, "         ");
    if (isnan(row->trial->latest))
        text_add(line, "       -");
    else
        text_addf(line, "  %.4f", row->trial->latest);
    add_parameters(line, row->trial->parameters);
    put(progress, line);
}

static void draw_best(struct progress *progress, const struct progress_state *state,
                      struct text *line)
{
    if (state->best == NULL)
        return;
    text_addf(line, "  best  trial %d, %s %.4f after %d epoch%s ", state->best->number,
              state->metric, state->best->value, state->best->value_epochs,
              state->best->value_epochs == 1 ? "" : "s");
    add_parameters(line, state->best->parameters);
    put(progress, line);
}

bool progress_due(const struct progress *progress)
{
    return !progress->quiet && progress->terminal && clock_ms() - progress->drawn_ms >= DRAW_MS;
}

void progress_draw(struct progress *progress, const struct progress_state *state)
{
    struct text line = TEXT_EMPTY;
    int i;
    if (progress->drawn_ms == 0) {
        progress->began = clock_seconds();
        progress->epochs_began = state->epochs_done;
    }
    progress->drawn_ms = clock_ms();
    erase(progress);
    draw_summary(progress, state, &line);
    text_addf(&line, "worker  state             trial    epoch   value  parameters");
    put(progress, &line);
    for (i = 0; i < state->row_count; i++)
        draw_row(progress, &state->rows[i], i, &line);
    draw_best(progress, state, &line);
    fflush(stderr);
    text_free(&line);
}
