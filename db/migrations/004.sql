-- Version 4: studies in the hands of a daemon, and trials by their value.

-- More exactly than `state` = 'running': waiting for its turn, paused, or about to stop.
ALTER TABLE recorded_studies ADD COLUMN standing TEXT
    CHECK (standing IN ('queued', 'paused', 'stopping'));
-- Whether the next daemon goes on with it by itself: 0 no, 1 yes, 2 yes but paused.
ALTER TABLE recorded_studies ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0
    CHECK (wanted BETWEEN 0 AND 2);
-- Higher comes first.
ALTER TABLE recorded_studies ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- JSON: what was set while it was in hand, {"workers", "limits"}.
ALTER TABLE recorded_studies ADD COLUMN settings TEXT
    CHECK (settings IS NULL OR json_valid(settings));
-- 1: its trials may be trained in more than one precision.
ALTER TABLE recorded_studies ADD COLUMN any_precision INTEGER NOT NULL DEFAULT 0
    CHECK (any_precision IN (0, 1));
-- The version of this study before this one.
ALTER TABLE recorded_studies ADD COLUMN extends INTEGER REFERENCES recorded_studies (id);

-- The value at the last milestone and the epochs there, as recorded_segments has them; and
-- both once more so that the best trial of the study comes first: trials that went further
-- (with the scheduler full each went as far as it should), then the better value.
ALTER TABLE recorded_trials ADD COLUMN value REAL;
ALTER TABLE recorded_trials ADD COLUMN value_epochs INTEGER;
ALTER TABLE recorded_trials ADD COLUMN order_epochs INTEGER;
ALTER TABLE recorded_trials ADD COLUMN order_value REAL;

UPDATE recorded_trials SET (value, value_epochs) =
    (SELECT g.value, g.to_epoch FROM recorded_segments g
     WHERE g.study = recorded_trials.study AND g.trial = recorded_trials.trial
       AND g.state = 'ended'
     ORDER BY g.rung DESC LIMIT 1)
WHERE state <> 'failed';
UPDATE recorded_trials SET (order_epochs, order_value) =
    (SELECT iif(s.scheduler = 'full', 0, -recorded_trials.value_epochs),
            iif(s.maximize, -recorded_trials.value, recorded_trials.value)
     FROM recorded_studies s WHERE s.id = recorded_trials.study)
WHERE value IS NOT NULL;

CREATE INDEX recorded_trials_best
    ON recorded_trials (study, order_epochs, order_value, trial) WHERE value IS NOT NULL;
