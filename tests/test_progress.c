#include "tuner/progress.h"

#include <pty.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

/* The table of a run, drawn on a terminal of this test's own. */
struct screen {
    int master, slave, kept; /* `kept`: the stderr of before */
    struct progress *progress;
    char said[1 << 16];
};

static void resize(struct screen *screen, unsigned short rows, unsigned short columns)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    assert_int_equal(ioctl(screen->master, TIOCSWINSZ, &size), 0);
}

static void open_screen(struct screen *screen, unsigned short rows, unsigned short columns)
{
    setenv("TERM", "xterm", 1);
    assert_int_equal(openpty(&screen->master, &screen->slave, NULL, NULL, NULL), 0);
    resize(screen, rows, columns);
    screen->kept = dup(STDERR_FILENO);
    dup2(screen->slave, STDERR_FILENO);
    screen->progress = progress_new(false);
    dup2(screen->kept, STDERR_FILENO);
}

/* What a drawing writes, for the test's failures must not go there. */
static const char *draw(struct screen *screen, const json_t *status)
{
    dup2(screen->slave, STDERR_FILENO);
    progress_draw(screen->progress, status);
    dup2(screen->kept, STDERR_FILENO);
    assert_int_equal(write(screen->slave, "\a", 1), 1); /* the end of what there is to read */
    size_t size = 0;
    do {
        ssize_t more = read(screen->master, screen->said + size, sizeof screen->said - 1 - size);
        assert_true(more > 0);
        size += (size_t)more;
    } while (screen->said[size - 1] != '\a');
    screen->said[size] = '\0';
    return screen->said;
}

static void close_screen(struct screen *screen)
{
    dup2(screen->slave, STDERR_FILENO);
    progress_free(screen->progress);
    dup2(screen->kept, STDERR_FILENO);
    close(screen->kept);
    close(screen->master);
    close(screen->slave);
}

static json_t *status_of(int workers, const char *choice)
{
    json_t *slots = json_array();
    for (int i = 0; i < workers; i++)
        json_array_append_new(slots, json_pack("{s:i,s:s,s:i,s:i,s:i,s:f,s:{s:s}}", "worker", i,
                                               "activity", "training", "trial", i, "epoch", 1,
                                               "to_epoch", 3, "latest", 0.5, "parameters",
                                               "kind", choice));
    return json_pack("{s:[{s:s,s:i,s:i,s:i,s:i}],s:o}", "studies", "study", "s", "epochs_done", 1,
                     "epochs_planned", 9, "trials_ended", 0, "trials_planned", 9, "slots", slots);
}

static int lines_of(const char *said)
{
    int lines = 0;
    for (; *said; said++)
        lines += *said == '\n';
    return lines;
}

static int rows_up(const char *said)
{
    const char *escape = strstr(said, "\033[");
    return escape ? atoi(escape + 2) : 0;
}

static void a_table_is_drawn_over_the_one_before(void **state)
{
    (void)state;
    struct screen screen;
    json_t *status = status_of(2, "a");
    open_screen(&screen, 24, 80);
    assert_int_equal(rows_up(draw(&screen, status)), 0);
    assert_int_equal(lines_of(screen.said), 5);
    assert_non_null(strstr(screen.said, "kind=\"a\"\r\n"));
    assert_int_equal(rows_up(draw(&screen, status)), 5);
    close_screen(&screen);
    json_decref(status);
}

static void more_workers_than_rows_do_not_scroll(void **state)
{
    (void)state;
    struct screen screen;
    json_t *status = status_of(64, "a");
    open_screen(&screen, 24, 80);
    assert_true(lines_of(draw(&screen, status)) <= 23);
    assert_non_null(strstr(screen.said, "and 46 more workers\r\n"));
    resize(&screen, 100, 80);
    assert_int_equal(lines_of(draw(&screen, status)), 67);
    assert_null(strstr(screen.said, "more workers"));
    close_screen(&screen);
    json_decref(status);
}

static void a_cut_line_says_so_and_cuts_no_character(void **state)
{
    (void)state;
    struct screen screen;
    json_t *status = status_of(1, "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
                                  "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9");
    open_screen(&screen, 24, 66);
    draw(&screen, status);
    assert_non_null(strstr(screen.said, "  kind=\"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u2026\r\n"));
    close_screen(&screen);
    json_decref(status);
}

/* Lines of 79 columns have two rows each where there are only 40. */
static void a_terminal_that_became_narrower_has_wrapped_lines(void **state)
{
    (void)state;
    struct screen screen;
    char choice[101] = "";
    memset(choice, 'x', sizeof choice - 1);
    json_t *status = status_of(2, choice);
    open_screen(&screen, 24, 80);
    draw(&screen, status);
    resize(&screen, 24, 40);
    assert_int_equal(rows_up(draw(&screen, status)), 5 + 2 + 1 + 1);
    close_screen(&screen);
    json_decref(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_drawn_over_the_one_before),
        cmocka_unit_test(more_workers_than_rows_do_not_scroll),
        cmocka_unit_test(a_cut_line_says_so_and_cuts_no_character),
        cmocka_unit_test(a_terminal_that_became_narrower_has_wrapped_lines),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
