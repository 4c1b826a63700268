-- Version 6: studies that were made elsewhere.

-- Sampler and scheduler of such a study are "imported"; it is finished and has no final.
CREATE TABLE recorded_imports (
    study      INTEGER PRIMARY KEY REFERENCES recorded_studies (id),
    format     TEXT NOT NULL CHECK (format IN ('optuna', 'csv')),
    name       TEXT NOT NULL,                  -- of the study where it comes from
    step_shift INTEGER NOT NULL                -- its steps may begin at 0: epoch = step + shift
) STRICT;

-- What else it knew of a trial, by name.
CREATE TABLE recorded_attributes (
    study INTEGER NOT NULL,
    trial INTEGER NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (study, trial, name),
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial)
) STRICT, WITHOUT ROWID;
