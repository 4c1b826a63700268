-- The public face of the database, described in docs/database.md.  Where a database that is
-- opened for writing has other views, they are made anew, so that they are always those of
-- the program.
-- Every view has the study's name in its column `study`.

DROP VIEW IF EXISTS studies;
CREATE VIEW studies AS
SELECT s.id, s.name AS study, iif(s.state = 'running', coalesce(s.standing, s.state), s.state)
           AS state, s.note, s.void_reason,
       s.sampler, s.scheduler, s.max_epochs, s.eta, s.metric,
       iif(s.maximize, 'maximize', 'minimize') AS goal, s.seed,
       (SELECT count(*) FROM recorded_trials t WHERE t.study = s.id) AS trials,
       (SELECT count(*) FROM recorded_trials t WHERE t.study = s.id AND t.state = 'failed')
           AS failed,
       (SELECT count(*) FROM recorded_epochs e WHERE e.study = s.id) AS epochs,
       s.winner, f.images, f.correct, f.correct * 1.0 / f.images AS test_accuracy,
       s.started_ms, s.ended_ms, (s.ended_ms - s.started_ms) / 1000.0 AS seconds,
       s.file, s.text, s.fingerprint, s.data, s.precision, s.priority,
       (SELECT e.name FROM recorded_studies e WHERE e.id = s.extends) AS extends
FROM recorded_studies s
LEFT JOIN recorded_finals f ON f.study = s.id;

DROP VIEW IF EXISTS parameters;
CREATE VIEW parameters AS
SELECT s.name AS study, p.position, p.name, p.type, p.low, p.high, p.step, p.log, p.choices
FROM recorded_parameters p
JOIN recorded_studies s ON s.id = p.study;

DROP VIEW IF EXISTS planned_rungs;
CREATE VIEW planned_rungs AS
SELECT s.name AS study, p.bracket, p.rung, p.places, p.keep, p.epochs
FROM recorded_plan p
JOIN recorded_studies s ON s.id = p.study;

DROP VIEW IF EXISTS workers;
CREATE VIEW workers AS
SELECT s.name AS study, w.id AS worker, w.pid, w.program, w.arithmetic, w.reason,
       w.started_ms, w.ended_ms
FROM recorded_workers w
JOIN recorded_studies s ON s.id = w.study;

-- `value` is the trial's at its last milestone, which it reached after `value_epochs`;
-- a failed trial has none.  Early stopping ends a trial after `early_end` epochs: every
-- further milestone is reached with nothing trained.
DROP VIEW IF EXISTS trials;
CREATE VIEW trials AS
SELECT s.name AS study, t.trial, t.state, t.bracket,
       (SELECT coalesce(max(e.epoch), 0) FROM recorded_epochs e
        WHERE e.study = t.study AND e.trial = t.trial) AS epochs,
       t.value, t.value_epochs, t.early_end,
       t.parameters, t.configuration, t.error,
       (SELECT count(g.worker) FROM recorded_segments g
        WHERE g.study = t.study AND g.trial = t.trial) AS attempts,
       (SELECT coalesce(g.arithmetic, w.arithmetic)
        FROM recorded_segments g LEFT JOIN recorded_workers w ON w.id = g.worker
        WHERE g.study = t.study AND g.trial = t.trial
        ORDER BY g.arithmetic IS NULL, w.id IS NULL, g.rung DESC, g.attempt DESC LIMIT 1)
           AS arithmetic,
       (SELECT total(e.seconds) FROM recorded_epochs e
        WHERE e.study = t.study AND e.trial = t.trial) AS seconds,
       t.started_ms, t.ended_ms
FROM recorded_trials t
JOIN recorded_studies s ON s.id = t.study;

DROP VIEW IF EXISTS trial_parameters;
CREATE VIEW trial_parameters AS
SELECT s.name AS study, p.trial, p.name, p.value
FROM recorded_trial_parameters p
JOIN recorded_studies s ON s.id = p.study;

-- Best first, study by study.  Only trials that went equally far are compared, those that went
-- furthest first; with the scheduler full each went as far as it should.  That is the
-- order of the index, in which the rows therefore come: the first ones cost nothing, where
-- an ORDER BY here would sort all of them before.  The ranks are made of the index alone, and
-- only the trials that are asked for are looked up.  The name is part of the partition, in
-- its binary form, since only then SQLite applies a condition on the study before it ranks.
DROP VIEW IF EXISTS leaderboard;
CREATE VIEW leaderboard AS
SELECT r.study, r.rank, t.trial, t.value, t.value_epochs AS epochs, t.early_end, t.bracket,
       t.state, t.parameters
FROM (SELECT s.name AS study, s.id, t.trial,
             row_number() OVER (PARTITION BY s.id, s.name COLLATE BINARY
                                ORDER BY t.order_epochs, t.order_value, t.trial) AS rank
      FROM recorded_studies s
      CROSS JOIN recorded_trials t INDEXED BY recorded_trials_best ON t.study = s.id
      WHERE t.order_value IS NOT NULL) r
CROSS JOIN recorded_trials t ON t.study = r.id AND t.trial = r.trial;

-- Every attempt at every stretch of training.
DROP VIEW IF EXISTS segments;
CREATE VIEW segments AS
SELECT s.name AS study, g.trial, g.rung, g.attempt, g.from_epoch, g.to_epoch, g.worker,
       g.state, g.value, g.reason, g.started_ms, g.ended_ms,
       (g.ended_ms - g.started_ms) / 1000.0 AS seconds,
       coalesce(g.arithmetic, w.arithmetic) AS arithmetic
FROM recorded_segments g
JOIN recorded_studies s ON s.id = g.study
LEFT JOIN recorded_workers w ON w.id = g.worker;

DROP VIEW IF EXISTS epochs;
CREATE VIEW epochs AS
SELECT s.name AS study, e.trial, e.epoch, e.attempt, e.checkpoint, e.seconds, e.recorded_ms
FROM recorded_epochs e
JOIN recorded_studies s ON s.id = e.study;

-- Whatever a trainer measures, by name.
DROP VIEW IF EXISTS metrics;
CREATE VIEW metrics AS
SELECT s.name AS study, m.trial, m.epoch, m.name, m.value
FROM recorded_metrics m
JOIN recorded_studies s ON s.id = m.study;

DROP VIEW IF EXISTS curves;
CREATE VIEW curves AS
SELECT s.name AS study, e.trial, e.epoch,
       (SELECT m.value FROM recorded_metrics m WHERE m.study = e.study AND m.trial = e.trial
        AND m.epoch = e.epoch AND m.name = 'train_loss') AS train_loss,
       (SELECT m.value FROM recorded_metrics m WHERE m.study = e.study AND m.trial = e.trial
        AND m.epoch = e.epoch AND m.name = 'train_accuracy') AS train_accuracy,
       (SELECT m.value FROM recorded_metrics m WHERE m.study = e.study AND m.trial = e.trial
        AND m.epoch = e.epoch AND m.name = 'val_loss') AS val_loss,
       (SELECT m.value FROM recorded_metrics m WHERE m.study = e.study AND m.trial = e.trial
        AND m.epoch = e.epoch AND m.name = 'val_accuracy') AS val_accuracy
FROM recorded_epochs e
JOIN recorded_studies s ON s.id = e.study;

-- Who was in each rung.  `rank` is by value alone among those that have ended: ties by
-- trial number, failed trials last; NULL before a trial has ended there.  `early_end` is
-- where early stopping ended its training before that of the rung.
DROP VIEW IF EXISTS rungs;
CREATE VIEW rungs AS
WITH entries AS (
    SELECT study, trial, rung, min(from_epoch) AS from_epoch, max(to_epoch) AS epochs,
           max(value) AS value, max(state IN ('ended', 'failed')) AS ended
    FROM recorded_segments
    GROUP BY study, trial, rung)
SELECT s.name AS study, t.bracket, e.rung, e.trial, e.from_epoch, e.epochs,
       iif(t.early_end < e.epochs, t.early_end, NULL) AS early_end, e.value,
       iif(e.ended, row_number() OVER (
           PARTITION BY s.name, t.bracket, e.rung
           ORDER BY e.ended DESC, e.value IS NULL, iif(s.maximize, -e.value, e.value), e.trial),
           NULL) AS rank,
       d.verdict, d.reason
FROM entries e
JOIN recorded_studies s ON s.id = e.study
JOIN recorded_trials t ON t.study = e.study AND t.trial = e.trial
LEFT JOIN recorded_decisions d
    ON d.study = e.study AND d.trial = e.trial AND d.rung = e.rung;

-- In the order in which they were taken; `rank` is that of the moment.
DROP VIEW IF EXISTS decisions;
CREATE VIEW decisions AS
SELECT s.name AS study, d.id AS decision, d.bracket, d.rung, d.trial, d.verdict, d.rank,
       d.reason, d.recorded_ms
FROM recorded_decisions d
JOIN recorded_studies s ON s.id = d.study;

DROP VIEW IF EXISTS faults;
CREATE VIEW faults AS
SELECT s.name AS study, f.id AS fault, f.trial, f.attempt, f.worker, f.kind, f.reason,
       f.action, f.recorded_ms
FROM recorded_faults f
JOIN recorded_studies s ON s.id = f.study;

-- The same for every number of workers and after any number of interruptions: no times,
-- attempts or workers are in it.  One row for each epoch of each rung of each trial; a
-- rung without an epoch, and a trial without a rung, have one row all the same.
DROP VIEW IF EXISTS results;
CREATE VIEW results AS
SELECT s.name AS study, t.trial, t.bracket, t.parameters,
       r.rung, r.epochs, r.early_end, r.value, r.rank, r.verdict,
       c.epoch, c.train_loss, c.train_accuracy, c.val_loss, c.val_accuracy,
       s.winner IS t.trial AS winner
FROM recorded_trials t
JOIN recorded_studies s ON s.id = t.study
LEFT JOIN rungs r ON r.study = s.name AND r.trial = t.trial
LEFT JOIN curves c ON c.study = s.name AND c.trial = t.trial
    AND c.epoch > r.from_epoch AND c.epoch <= r.epochs
ORDER BY s.name, t.trial, r.rung, c.epoch;

-- The winner's final training and its evaluation on the test set.
DROP VIEW IF EXISTS finals;
CREATE VIEW finals AS
SELECT s.name AS study, f.trial, f.state, f.attempt, f.epochs, f.images, f.correct,
       f.correct * 1.0 / f.images AS test_accuracy, f.test_loss, f.layers,
       coalesce(f.arithmetic, (SELECT t.arithmetic FROM trials t
                               WHERE t.study = s.name AND t.trial = f.trial)) AS arithmetic,
       f.started_ms, f.ended_ms, (f.ended_ms - f.started_ms) / 1000.0 AS seconds
FROM recorded_finals f
JOIN recorded_studies s ON s.id = f.study;

DROP VIEW IF EXISTS final_epochs;
CREATE VIEW final_epochs AS
SELECT s.name AS study, e.epoch, e.attempt, e.checkpoint, e.seconds, e.recorded_ms
FROM recorded_final_epochs e
JOIN recorded_studies s ON s.id = e.study;

DROP VIEW IF EXISTS final_curves;
CREATE VIEW final_curves AS
SELECT s.name AS study, e.epoch,
       (SELECT m.value FROM recorded_final_metrics m
        WHERE m.study = e.study AND m.epoch = e.epoch AND m.name = 'train_loss') AS train_loss,
       (SELECT m.value FROM recorded_final_metrics m
        WHERE m.study = e.study AND m.epoch = e.epoch AND m.name = 'train_accuracy')
           AS train_accuracy,
       (SELECT m.value FROM recorded_final_metrics m
        WHERE m.study = e.study AND m.epoch = e.epoch AND m.name = 'val_loss') AS val_loss,
       (SELECT m.value FROM recorded_final_metrics m
        WHERE m.study = e.study AND m.epoch = e.epoch AND m.name = 'val_accuracy')
           AS val_accuracy
FROM recorded_final_epochs e
JOIN recorded_studies s ON s.id = e.study;

-- Each image of the test set.
DROP VIEW IF EXISTS predictions;
CREATE VIEW predictions AS
SELECT s.name AS study, p.image, p.label, p.predicted, p.label = p.predicted AS correct,
       p.probability, p.probabilities
FROM recorded_predictions p
JOIN recorded_studies s ON s.id = p.study;

-- How many images of class `label` were taken for class `predicted`, where there are any.
DROP VIEW IF EXISTS confusion;
CREATE VIEW confusion AS
SELECT study, label, predicted, count(*) AS images
FROM predictions
GROUP BY study, label, predicted;

-- The winner's weights: a checkpoint file.
DROP VIEW IF EXISTS models;
CREATE VIEW models AS
SELECT s.name AS study, m.bytes
FROM recorded_models m
JOIN recorded_studies s ON s.id = m.study;

-- Where the studies come from that were made elsewhere.
DROP VIEW IF EXISTS imports;
CREATE VIEW imports AS
SELECT s.name AS study, i.format, i.name, i.step_shift
FROM recorded_imports i
JOIN recorded_studies s ON s.id = i.study;

-- What is known of their trials besides, by name; values are JSON.
DROP VIEW IF EXISTS attributes;
CREATE VIEW attributes AS
SELECT s.name AS study, a.trial, a.name, a.value
FROM recorded_attributes a
JOIN recorded_studies s ON s.id = a.study;
-- Images of the test set that are stored beside their predictions.
DROP VIEW IF EXISTS images;
CREATE VIEW images AS
SELECT s.name AS study, i.image, i.pixels
FROM recorded_images i
JOIN recorded_studies s ON s.id = i.study;
