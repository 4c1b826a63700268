/* Everything that is recorded reads back, through the views that users see. */
#include "common/text.h"
#include "tests/store_fixture.h"

static void fill(struct fixture *fixture)
{
    fixture->study = add_study(fixture->store, "digits");
    fill_search(fixture->store, fixture->study);
}

static void a_study_reads_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    assert_rows(fixture->store,
                "SELECT study, state, note, void_reason, sampler, scheduler, max_epochs, eta,"
                " metric, goal, seed, trials, winner, ended_ms, file, text, fingerprint, data"
                " FROM studies",
                "[{\"study\":\"digits\",\"state\":\"running\",\"note\":null,\"void_reason\":null,"
                "\"sampler\":\"random\",\"scheduler\":\"hyperband\",\"max_epochs\":3,\"eta\":2,"
                "\"metric\":\"val_accuracy\",\"goal\":\"maximize\","
                "\"seed\":\"18446744073709551615\",\"trials\":0,\"winner\":null,"
                "\"ended_ms\":null,\"file\":\"digits.yaml\",\"text\":\"study: digits\\n\","
                "\"fingerprint\":\"{\\\"eta\\\":2}\","
                "\"data\":\"{\\\"dataset\\\":\\\"synthetic\\\",\\\"classes\\\":3}\"}]");
    assert_rows(fixture->store, "SELECT * FROM parameters WHERE position < 2 ORDER BY position",
                "[{\"study\":\"digits\",\"position\":0,\"name\":\"learning_rate\","
                "\"type\":\"float\",\"low\":0.0001,\"high\":0.01,\"step\":null,\"log\":1,"
                "\"choices\":null},"
                "{\"study\":\"digits\",\"position\":1,\"name\":\"batch_size\","
                "\"type\":\"categorical\",\"low\":null,\"high\":null,\"step\":null,\"log\":0,"
                "\"choices\":\"[32,64]\"}]");
    assert_rows(fixture->store, "SELECT bracket, rung, places, keep, epochs FROM planned_rungs"
                                " WHERE rung = 1",
                "[{\"bracket\":1,\"rung\":1,\"places\":2,\"keep\":0,\"epochs\":3}]");
}

static void studies_are_found_without_regard_to_case(void **state)
{
    struct fixture *fixture = *state;
    fixture->study = add_study(fixture->store, "digits");
    int64_t other = add_study(fixture->store, "digits_2");
    assert_int_equal(store_find_study(fixture->store, "DIGITS", NULL), fixture->study);
    assert_int_equal(store_find_study(fixture->store, "digits_2", NULL), other);
    assert_int_equal(store_find_study(fixture->store, "digit", NULL), 0);
    assert_int_not_equal(other, fixture->study);
}

static void states_notes_and_doubts_of_a_study_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fixture->study = add_study(store, "digits");
    DONE(store_begin(store, &why));
    DONE(store_void_study(store, fixture->study, "a limit in minutes", &why));
    DONE(store_void_study(store, fixture->study, "a lost trial", &why));
    DONE(store_void_study(store, fixture->study, "a lost trial", &why));
    DONE(store_set_study_state(store, fixture->study, "failed", "no trial ended well", &why));
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT state, note, void_reason, ended_ms >= started_ms AS over"
                       " FROM studies",
                "[{\"state\":\"failed\",\"note\":\"no trial ended well\","
                "\"void_reason\":\"a limit in minutes; a lost trial\",\"over\":1}]");
    DONE(store_begin(store, &why));
    DONE(store_set_study_state(store, fixture->study, "running", NULL, &why));
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT state, note, ended_ms FROM studies",
                "[{\"state\":\"running\",\"note\":null,\"ended_ms\":null}]");
}

static void trials_read_back_with_states_and_values(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store,
                "SELECT trial, state, bracket, epochs, value, value_epochs, error, attempts,"
                " arithmetic, seconds, ended_ms >= started_ms AS over FROM trials ORDER BY trial",
                "[{\"trial\":0,\"state\":\"completed\",\"bracket\":1,\"epochs\":3,\"value\":0.875,"
                "\"value_epochs\":3,\"error\":null,\"attempts\":2,\"arithmetic\":\"avx2 fp32\","
                "\"seconds\":0.75,\"over\":1},"
                "{\"trial\":1,\"state\":\"stopped\",\"bracket\":1,\"epochs\":1,\"value\":0.5,"
                "\"value_epochs\":1,\"error\":null,\"attempts\":1,\"arithmetic\":\"avx2 fp32\","
                "\"seconds\":0.5,\"over\":1},"
                "{\"trial\":2,\"state\":\"completed\",\"bracket\":1,\"epochs\":3,\"value\":0.9375,"
                "\"value_epochs\":3,\"error\":null,\"attempts\":2,\"arithmetic\":\"avx2 fp32\","
                "\"seconds\":2.25,\"over\":1},"
                "{\"trial\":3,\"state\":\"failed\",\"bracket\":1,\"epochs\":0,\"value\":null,"
                "\"value_epochs\":null,\"error\":\"killed by signal 11\",\"attempts\":2,"
                "\"arithmetic\":\"avx2 fp32\",\"seconds\":0.0,\"over\":1},"
                "{\"trial\":4,\"state\":\"completed\",\"bracket\":0,\"epochs\":3,\"value\":0.625,"
                "\"value_epochs\":3,\"error\":null,\"attempts\":1,\"arithmetic\":\"avx2 fp32\","
                "\"seconds\":3.75,\"over\":1},"
                "{\"trial\":5,\"state\":\"failed\",\"bracket\":0,\"epochs\":2,\"value\":null,"
                "\"value_epochs\":null,\"error\":\"val_loss is not finite\",\"attempts\":1,"
                "\"arithmetic\":\"avx2 fp32\",\"seconds\":3.0,\"over\":1}]");
}

static void parameters_keep_their_bits_types_and_order(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fixture->study = add_study(store, "digits");
    json_t *drawn = json_pack("{s:f, s:f, s:i, s:b, s:s}", "tenth", 0.1, "third", 1.0 / 3.0, "n",
                              7, "augment", 1, "name", "a\"b");
    DONE(store_begin(store, &why));
    DONE(store_add_trial(store, fixture->study, 0, 0, drawn, NULL, &why));
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT parameters, configuration FROM trials",
                "[{\"parameters\":\"{\\\"tenth\\\":0.1,\\\"third\\\":0.3333333333333333,"
                "\\\"n\\\":7,\\\"augment\\\":true,\\\"name\\\":\\\"a\\\\\\\"b\\\"}\","
                "\"configuration\":null}]");
    json_t *rows = store_rows(store, "SELECT parameters FROM trials", NULL, NULL);
    const char *text = json_string_value(
        json_object_get(json_array_get(rows, 0), "parameters"));
    json_t *again = json_loads(text, 0, NULL);
    assert_true(json_equal(again, drawn));
    assert_rows(store, "SELECT name, typeof(value) AS type, value FROM trial_parameters"
                       " WHERE name IN ('augment', 'n', 'tenth')",
                "[{\"name\":\"augment\",\"type\":\"integer\",\"value\":1},"
                "{\"name\":\"n\",\"type\":\"integer\",\"value\":7},"
                "{\"name\":\"tenth\",\"type\":\"real\",\"value\":0.1}]");
    json_decref(again);
    json_decref(rows);
    json_decref(drawn);
}

static void epochs_and_curves_read_back(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store,
                "SELECT trial, epoch, attempt, checkpoint, seconds, recorded_ms > 0 AS timed"
                " FROM epochs WHERE trial = 2 AND epoch > 1",
                "[{\"trial\":2,\"epoch\":2,\"attempt\":2,"
                "\"checkpoint\":\"checkpoints/digits/2.2.2\",\"seconds\":0.75,\"timed\":1},"
                "{\"trial\":2,\"epoch\":3,\"attempt\":2,"
                "\"checkpoint\":\"checkpoints/digits/2.3.2\",\"seconds\":0.75,\"timed\":1}]");
    assert_rows(fixture->store, "SELECT * FROM curves WHERE study = 'digits' AND trial = 5",
                "[{\"study\":\"digits\",\"trial\":5,\"epoch\":1,\"train_loss\":6.0,"
                "\"train_accuracy\":0.5,\"val_loss\":3.0,\"val_accuracy\":0.25},"
                "{\"study\":\"digits\",\"trial\":5,\"epoch\":2,\"train_loss\":6.0,"
                "\"train_accuracy\":0.5,\"val_loss\":null,\"val_accuracy\":0.5}]");
    assert_rows(fixture->store, "SELECT name, value FROM metrics WHERE trial = 5 AND epoch = 2",
                "[{\"name\":\"train_accuracy\",\"value\":0.5},"
                "{\"name\":\"train_loss\",\"value\":6.0},"
                "{\"name\":\"val_accuracy\",\"value\":0.5},"
                "{\"name\":\"val_loss\",\"value\":null}]");
}

static void a_repeated_epoch_changes_attempt_and_checkpoint_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fill(fixture);
    json_t *same = metrics_of(5, 2), *other = metrics_of(5, 2), *fewer = metrics_of(5, 2);
    json_object_set_new(other, "val_accuracy", json_real(nextafter(0.5, 1)));
    json_object_del(fewer, "val_loss");
    struct epoch_record record = {5, 2, 2, same, "checkpoints/digits/5.2.2", 99};
    bool differs = true;
    DONE(store_begin(store, &why));
    DONE(store_add_epoch(store, fixture->study, &record, &differs, &why));
    assert_false(differs);
    record.attempt = 3;
    record.metrics = other;
    record.checkpoint = NULL;
    DONE(store_add_epoch(store, fixture->study, &record, &differs, &why));
    assert_true(differs);
    record.metrics = fewer;
    differs = false;
    DONE(store_add_epoch(store, fixture->study, &record, &differs, &why));
    assert_true(differs);
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT e.attempt, e.checkpoint, e.seconds, m.value FROM epochs e"
                       " JOIN metrics m USING (study, trial, epoch)"
                       " WHERE trial = 5 AND epoch = 2 AND m.name LIKE 'val%'",
                "[{\"attempt\":3,\"checkpoint\":null,\"seconds\":1.5,\"value\":0.5},"
                "{\"attempt\":3,\"checkpoint\":null,\"seconds\":1.5,\"value\":null}]");
    json_decref(same);
    json_decref(other);
    json_decref(fewer);
}

static void a_number_where_there_was_none_differs(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fill(fixture);
    json_t *finite = metrics_of(5, 2);
    json_object_set_new(finite, "val_loss", json_real(0));
    const struct epoch_record record = {5, 2, 2, finite, NULL, 1};
    bool differs = false;
    DONE(store_begin(store, &why));
    DONE(store_add_epoch(store, fixture->study, &record, &differs, &why));
    DONE(store_commit(store, &why));
    assert_true(differs);
    json_decref(finite);
}

static void segments_keep_every_attempt(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store,
                "SELECT trial, rung, attempt, from_epoch, to_epoch, worker, state, value, reason,"
                " ended_ms >= started_ms AS over FROM segments WHERE trial IN (2, 3)",
                "[{\"trial\":2,\"rung\":0,\"attempt\":1,\"from_epoch\":0,\"to_epoch\":1,"
                "\"worker\":1,\"state\":\"ended\",\"value\":0.75,\"reason\":null,\"over\":1},"
                "{\"trial\":2,\"rung\":1,\"attempt\":2,\"from_epoch\":1,\"to_epoch\":3,"
                "\"worker\":1,\"state\":\"ended\",\"value\":0.9375,\"reason\":null,\"over\":1},"
                "{\"trial\":3,\"rung\":0,\"attempt\":1,\"from_epoch\":0,\"to_epoch\":1,"
                "\"worker\":1,\"state\":\"retry\",\"value\":null,"
                "\"reason\":\"killed by signal 11\",\"over\":1},"
                "{\"trial\":3,\"rung\":0,\"attempt\":2,\"from_epoch\":0,\"to_epoch\":1,"
                "\"worker\":1,\"state\":\"failed\",\"value\":null,"
                "\"reason\":\"killed by signal 11\",\"over\":1}]");
}

static void an_end_without_a_beginning_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    DONE(store_begin(fixture->store, &why));
    REFUSED(store_end_segment(fixture->store, fixture->study, 2, 7, 1, "ended", 1, NULL, &why),
            EXIT_FAILED, "rung 7");
    assert_int_equal(store_commit(fixture->store, NULL), -1);
}

static void rungs_rank_by_value_then_trial_with_failed_ones_last(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store,
                "SELECT bracket, rung, trial, epochs, value, rank, verdict, reason FROM rungs"
                " ORDER BY bracket DESC, rung, rank",
                "[{\"bracket\":1,\"rung\":0,\"trial\":0,\"epochs\":1,\"value\":0.75,\"rank\":1,"
                "\"verdict\":\"promoted\",\"reason\":\"promoted as number 1\"},"
                "{\"bracket\":1,\"rung\":0,\"trial\":2,\"epochs\":1,\"value\":0.75,\"rank\":2,"
                "\"verdict\":\"promoted\",\"reason\":\"promoted as number 2\"},"
                "{\"bracket\":1,\"rung\":0,\"trial\":1,\"epochs\":1,\"value\":0.5,\"rank\":3,"
                "\"verdict\":\"stopped\",\"reason\":\"stopped as number 3\"},"
                "{\"bracket\":1,\"rung\":0,\"trial\":3,\"epochs\":1,\"value\":null,\"rank\":4,"
                "\"verdict\":\"failed\",\"reason\":\"failed as number 4\"},"
                "{\"bracket\":1,\"rung\":1,\"trial\":2,\"epochs\":3,\"value\":0.9375,\"rank\":1,"
                "\"verdict\":\"completed\",\"reason\":\"completed as number 1\"},"
                "{\"bracket\":1,\"rung\":1,\"trial\":0,\"epochs\":3,\"value\":0.875,\"rank\":2,"
                "\"verdict\":\"completed\",\"reason\":\"completed as number 1\"},"
                "{\"bracket\":0,\"rung\":0,\"trial\":4,\"epochs\":3,\"value\":0.625,\"rank\":1,"
                "\"verdict\":\"completed\",\"reason\":\"completed as number 1\"},"
                "{\"bracket\":0,\"rung\":0,\"trial\":5,\"epochs\":3,\"value\":null,\"rank\":2,"
                "\"verdict\":\"failed\",\"reason\":\"failed as number 2\"}]");
}

static void a_trial_under_way_has_no_rank_yet(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    fixture->study = add_study(store, "digits");
    DONE(store_begin(store, &why));
    add_trial(store, fixture->study, 0);
    add_trial(store, fixture->study, 1);
    DONE(store_begin_segment(store, fixture->study, 0, 0, 1, 0, 1, 0, &why));
    add_segment(store, fixture->study, 1, 0, 1, 0, 1, 0);
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT trial, value, rank, verdict FROM rungs ORDER BY trial",
                "[{\"trial\":0,\"value\":null,\"rank\":null,\"verdict\":null},"
                "{\"trial\":1,\"value\":0.5,\"rank\":1,\"verdict\":null}]");
    assert_rows(store, "SELECT trial, state FROM trials",
                "[{\"trial\":0,\"state\":\"running\"},{\"trial\":1,\"state\":\"paused\"}]");
}

static void an_early_end_shows_wherever_the_trial_is_listed(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    int64_t worker = 0;
    fixture->study = add_study(store, "digits");
    DONE(store_begin(store, &why));
    DONE(store_add_worker(store, fixture->study, 1, "trainer 1.0", "avx2 fp32", &worker, &why));
    add_trial(store, fixture->study, 0);
    add_segment(store, fixture->study, 0, 0, 1, 0, 1, worker);
    DONE(store_begin_segment(store, fixture->study, 0, 1, 2, 1, 3, worker, &why));
    add_epoch(store, fixture->study, 0, 2, 2);
    DONE(store_set_early_end(store, fixture->study, 0, 2, &why));
    DONE(store_end_segment(store, fixture->study, 0, 1, 2, "ended", 0.8125, "stopped early", &why));
    DONE(store_begin_segment(store, fixture->study, 0, 2, 3, 3, 9, 0, &why));
    DONE(store_end_segment(store, fixture->study, 0, 2, 3, "ended", 0.8125, "not run", &why));
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT epochs, value_epochs, early_end, attempts FROM trials",
                "[{\"epochs\":2,\"value_epochs\":9,\"early_end\":2,\"attempts\":2}]");
    assert_rows(store, "SELECT epochs, early_end FROM leaderboard",
                "[{\"epochs\":9,\"early_end\":2}]");
    assert_rows(store, "SELECT rung, epochs, early_end, value FROM rungs ORDER BY rung",
                "[{\"rung\":0,\"epochs\":1,\"early_end\":null,\"value\":0.75},"
                "{\"rung\":1,\"epochs\":3,\"early_end\":2,\"value\":0.8125},"
                "{\"rung\":2,\"epochs\":9,\"early_end\":2,\"value\":0.8125}]");
    assert_rows(store, "SELECT rung, early_end, epoch FROM results",
                "[{\"rung\":0,\"early_end\":null,\"epoch\":1},"
                "{\"rung\":1,\"early_end\":2,\"epoch\":2},"
                "{\"rung\":2,\"early_end\":2,\"epoch\":null}]");
}

static void leaderboard_puts_the_furthest_first_then_the_best(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store, "SELECT rank, trial, value, epochs FROM leaderboard",
                "[{\"rank\":1,\"trial\":2,\"value\":0.9375,\"epochs\":3},"
                "{\"rank\":2,\"trial\":0,\"value\":0.875,\"epochs\":3},"
                "{\"rank\":3,\"trial\":4,\"value\":0.625,\"epochs\":3},"
                "{\"rank\":4,\"trial\":1,\"value\":0.5,\"epochs\":1}]");
}

static void append_detail(void *context, const json_t *row)
{
    struct text *plan = context;
    text_addf(plan, "%s\n", json_string_value(json_object_get(row, "detail")));
}

/* What it costs does not depend on how many trials other studies have, nor the first rows on
 * how many this one has: nothing is sorted. */
static void leaderboard_of_a_study_ranks_that_study_alone(void **state)
{
    struct fixture *fixture = *state;
    struct text plan = TEXT_EMPTY;
    DONE(store_each_row(fixture->store, "EXPLAIN QUERY PLAN SELECT * FROM leaderboard"
                                        " WHERE study = 'digits' LIMIT 20", NULL, append_detail,
                        &plan, &why));
    assert_non_null(strstr(text_string(&plan), "SEARCH s USING COVERING INDEX"));
    assert_non_null(strstr(text_string(&plan),
                           "SEARCH t USING COVERING INDEX recorded_trials_best (study=?)"));
    assert_null(strstr(text_string(&plan), "TEMP B-TREE"));
    assert_null(strstr(text_string(&plan), "SCAN s"));
    text_free(&plan);
}

static void with_full_and_a_loss_the_smallest_value_leads(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    const struct study_record record = {.name = "least", .file = "f", .text = "t",
                                        .fingerprint = "{}", .metric = "val_loss",
                                        .sampler = "grid", .scheduler = "full", .data = "{}"};
    int64_t study = 0;
    json_t *none = json_object();
    const double values[] = {0.5, 0.25, 0.75};
    const int epochs[] = {9, 1, 4};
    DONE(store_begin(store, &why));
    DONE(store_add_study(store, &record, &study, &why));
    for (int trial = 0; trial < 3; trial++) {
        DONE(store_add_trial(store, study, trial, 0, none, none, &why));
        DONE(store_begin_segment(store, study, trial, 0, 1, 0, epochs[trial], 0, &why));
        DONE(store_end_segment(store, study, trial, 0, 1, "ended", values[trial], NULL, &why));
    }
    DONE(store_commit(store, &why));
    assert_rows(store, "SELECT rank, trial, value, epochs FROM leaderboard",
                "[{\"rank\":1,\"trial\":1,\"value\":0.25,\"epochs\":1},"
                "{\"rank\":2,\"trial\":0,\"value\":0.5,\"epochs\":9},"
                "{\"rank\":3,\"trial\":2,\"value\":0.75,\"epochs\":4}]");
    assert_rows(store, "SELECT trial, rank FROM rungs ORDER BY rank",
                "[{\"trial\":1,\"rank\":1},{\"trial\":0,\"rank\":2},{\"trial\":2,\"rank\":3}]");
    assert_rows(store, "SELECT max_epochs, eta FROM studies",
                "[{\"max_epochs\":null,\"eta\":null}]");
    json_decref(none);
}

static void a_decision_repeated_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    DONE(store_begin(fixture->store, &why));
    DONE(store_add_decision(fixture->store, fixture->study, 2, 1, 0, "promoted", 9, "again",
                            &why));
    DONE(store_commit(fixture->store, &why));
    assert_rows(fixture->store, "SELECT rung, verdict, rank FROM decisions WHERE trial = 2",
                "[{\"rung\":0,\"verdict\":\"promoted\",\"rank\":2},"
                "{\"rung\":1,\"verdict\":\"completed\",\"rank\":1}]");
    assert_rows(fixture->store, "SELECT state FROM trials WHERE trial = 2",
                "[{\"state\":\"completed\"}]");
}

static void faults_read_back_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    DONE(store_begin(fixture->store, &why));
    DONE(store_add_fault(fixture->store, fixture->study, -1, 0, 0, "crashed", "before it was ready",
                         "ignored", &why));
    DONE(store_commit(fixture->store, &why));
    assert_rows(fixture->store, "SELECT trial, attempt, worker, kind, reason, action FROM faults"
                                " WHERE fault <> 1",
                "[{\"trial\":3,\"attempt\":2,\"worker\":1,\"kind\":\"crashed\","
                "\"reason\":\"killed by signal 11\",\"action\":\"trial failed\"},"
                "{\"trial\":5,\"attempt\":1,\"worker\":1,\"kind\":\"diverged\","
                "\"reason\":\"val_loss is not finite\",\"action\":\"trial failed\"},"
                "{\"trial\":null,\"attempt\":null,\"worker\":null,\"kind\":\"crashed\","
                "\"reason\":\"before it was ready\",\"action\":\"ignored\"}]");
}

static void workers_read_back(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store, "SELECT worker, pid, program, arithmetic, reason,"
                                " ended_ms >= started_ms AS over FROM workers",
                "[{\"worker\":1,\"pid\":4711,\"program\":\"trainer 1.0\","
                "\"arithmetic\":\"avx2 fp32\",\"reason\":\"stopped\",\"over\":1}]");
}

/* A segment's own arithmetic goes before its worker's, in that segment alone; a later attempt
 * that trained nothing does not count. */
static void a_trial_has_the_arithmetic_of_its_training(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    DONE(store_begin(fixture->store, &why));
    DONE(store_set_arithmetic(fixture->store, fixture->study, 0, 0, 1, "amx bf16", &why));
    DONE(store_set_arithmetic(fixture->store, fixture->study, 2, 1, 2, "amx bf16", &why));
    DONE(store_begin_segment(fixture->store, fixture->study, 2, 1, 3, 1, 3, 1, &why));
    DONE(store_commit(fixture->store, &why));
    assert_rows(fixture->store, "SELECT rung, attempt, arithmetic FROM segments WHERE trial IN"
                                " (0, 2) ORDER BY trial, attempt",
                "[{\"rung\":0,\"attempt\":1,\"arithmetic\":\"amx bf16\"},"
                "{\"rung\":1,\"attempt\":2,\"arithmetic\":\"avx2 fp32\"},"
                "{\"rung\":0,\"attempt\":1,\"arithmetic\":\"avx2 fp32\"},"
                "{\"rung\":1,\"attempt\":2,\"arithmetic\":\"amx bf16\"},"
                "{\"rung\":1,\"attempt\":3,\"arithmetic\":\"avx2 fp32\"}]");
    assert_rows(fixture->store, "SELECT trial, arithmetic FROM trials WHERE trial IN (1, 2)"
                                " ORDER BY trial",
                "[{\"trial\":1,\"arithmetic\":\"avx2 fp32\"},"
                "{\"trial\":2,\"arithmetic\":\"amx bf16\"}]");
}

static void a_forgotten_checkpoint_leaves_its_epoch(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    DONE(store_begin(fixture->store, &why));
    DONE(store_forget_checkpoint(fixture->store, fixture->study, 2, 2, &why));
    DONE(store_commit(fixture->store, &why));
    assert_rows(fixture->store, "SELECT epoch, checkpoint FROM epochs"
                                " WHERE trial = 2 AND epoch > 1",
                "[{\"epoch\":2,\"checkpoint\":null},"
                "{\"epoch\":3,\"checkpoint\":\"checkpoints/digits/2.3.2\"}]");
}

static void the_wide_view_has_a_column_for_each_parameter(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_rows(fixture->store, "SELECT * FROM study_digits WHERE trial IN (0, 3)",
                "[{\"trial\":0,\"state\":\"completed\",\"bracket\":1,\"epochs\":3,"
                "\"value\":0.875,\"rank\":2,\"learning_rate\":0.0001,\"batch_size\":32,"
                "\"epochs_\":1,\"augment\":1},"
                "{\"trial\":3,\"state\":\"failed\",\"bracket\":1,\"epochs\":0,\"value\":null,"
                "\"rank\":null,\"learning_rate\":0.0004,\"batch_size\":64,\"epochs_\":7,"
                "\"augment\":1}]");
}

/* More columns than a view takes, and names that are taken by others. */
static void the_wide_view_copes_with_any_parameters(void **state)
{
    struct fixture *fixture = *state;
    json_t *parameters = json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]",
                                   "name", "Rank", "type", "bool", "name", "rank_", "type",
                                   "bool", "name", "select", "type", "bool", "name", "1.a[0]",
                                   "type", "float", "name", "\\\"", "type", "float");
    for (int i = 0; i < 1500; i++) {
        char *name = xasprintf("a_parameter_with_a_name_of_sixty_letters_as_long_as_it_may_be_%d",
                               i);
        json_array_append_new(parameters, json_pack("{s:s,s:s}", "name", name, "type", "bool"));
        free(name);
    }
    const struct study_record record = {
        .name = "wide", .file = "f", .text = "t", .fingerprint = "{}", .metric = "val_loss",
        .sampler = "random", .scheduler = "full", .data = "{}", .parameters = parameters};
    json_t *drawn = json_pack("{s:b, s:b, s:b, s:f, s:f}", "Rank", 1, "rank_", 0, "select", 1,
                              "1.a[0]", 1.0 / 3.0, "\\\"", 2.0 / 3.0);
    DONE(store_begin(fixture->store, &why));
    DONE(store_add_study(fixture->store, &record, &fixture->study, &why));
    DONE(store_add_trial(fixture->store, fixture->study, 0, 0, drawn, NULL, &why));
    DONE(store_commit(fixture->store, &why));
    assert_rows(fixture->store, "SELECT rank, Rank__, rank_, \"select\" FROM study_wide",
                "[{\"rank\":null,\"Rank__\":1,\"rank_\":0,\"select\":1}]");
    assert_rows(fixture->store, "SELECT w.\"1.a[0]\" = p.value AS dotted,"
                                " w.\"\\\"\"\" = q.value AS quoted FROM study_wide w"
                                " JOIN trial_parameters p ON p.name = '1.a[0]'"
                                " JOIN trial_parameters q ON q.name = '\\\"'",
                "[{\"dotted\":1,\"quoted\":1}]");
    json_decref(parameters);
    json_decref(drawn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_study_reads_back),
        STORE_TEST(studies_are_found_without_regard_to_case),
        STORE_TEST(states_notes_and_doubts_of_a_study_are_kept),
        STORE_TEST(trials_read_back_with_states_and_values),
        STORE_TEST(parameters_keep_their_bits_types_and_order),
        STORE_TEST(epochs_and_curves_read_back),
        STORE_TEST(a_repeated_epoch_changes_attempt_and_checkpoint_alone),
        STORE_TEST(a_number_where_there_was_none_differs),
        STORE_TEST(segments_keep_every_attempt),
        STORE_TEST(an_end_without_a_beginning_is_refused),
        STORE_TEST(rungs_rank_by_value_then_trial_with_failed_ones_last),
        STORE_TEST(a_trial_under_way_has_no_rank_yet),
        STORE_TEST(an_early_end_shows_wherever_the_trial_is_listed),
        STORE_TEST(leaderboard_puts_the_furthest_first_then_the_best),
        STORE_TEST(leaderboard_of_a_study_ranks_that_study_alone),
        STORE_TEST(with_full_and_a_loss_the_smallest_value_leads),
        STORE_TEST(a_decision_repeated_changes_nothing),
        STORE_TEST(faults_read_back_in_their_order),
        STORE_TEST(workers_read_back),
        STORE_TEST(a_trial_has_the_arithmetic_of_its_training),
        STORE_TEST(a_forgotten_checkpoint_leaves_its_epoch),
        STORE_TEST(the_wide_view_has_a_column_for_each_parameter),
        STORE_TEST(the_wide_view_copes_with_any_parameters),
    };
    return cmocka_run_group_tests_name("store_record", tests, NULL, NULL);
}
