-- Version 1: what is recorded.  These tables are the tuner's own; SQL of users goes to
-- the views (views.sql), which keep their names and columns.
--
-- Times are milliseconds since 1970 UTC.  A trial is known by its study and its number,
-- an epoch by its trial and its number from 1.  JSON holds numbers with as many digits
-- as give the same number again.

CREATE TABLE recorded_studies (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE COLLATE NOCASE
                CHECK (name GLOB '[A-Za-z]*' AND NOT name GLOB '*[^A-Za-z0-9_]*'),
    file        TEXT NOT NULL,                 -- path of the study file, as it was given
    text        TEXT NOT NULL,                 -- its content
    fingerprint TEXT NOT NULL CHECK (json_valid(fingerprint)),
    seed        TEXT NOT NULL,                 -- unsigned 64 bits, which INTEGER cannot hold
    metric      TEXT NOT NULL,                 -- the objective
    maximize    INTEGER NOT NULL CHECK (maximize IN (0, 1)),
    sampler     TEXT NOT NULL,
    scheduler   TEXT NOT NULL,
    max_epochs  INTEGER CHECK (max_epochs > 0),
    eta         INTEGER CHECK (eta > 1),
    data        TEXT NOT NULL CHECK (json_valid(data)),
    state       TEXT NOT NULL DEFAULT 'running'
                CHECK (state IN ('running', 'interrupted', 'finished', 'failed')),
    note        TEXT,
    void_reason TEXT,                          -- why its result may depend on luck
    winner      INTEGER,
    started_ms  INTEGER NOT NULL,
    ended_ms    INTEGER,
    FOREIGN KEY (id, winner) REFERENCES recorded_trials (study, trial)
) STRICT;

-- The search space, in the order of the study file.
CREATE TABLE recorded_parameters (
    study    INTEGER NOT NULL REFERENCES recorded_studies (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    name     TEXT NOT NULL COLLATE NOCASE,
    type     TEXT NOT NULL CHECK (type IN ('int', 'float', 'categorical', 'bool')),
    low      ANY,
    high     ANY,
    step     ANY,
    log      INTEGER NOT NULL CHECK (log IN (0, 1)),
    choices  TEXT CHECK (choices IS NULL OR json_valid(choices)),
    PRIMARY KEY (study, position),
    UNIQUE (study, name)
) STRICT, WITHOUT ROWID;

-- The plan: the rungs of each bracket, before anything was trained.
CREATE TABLE recorded_plan (
    study   INTEGER NOT NULL REFERENCES recorded_studies (id),
    bracket INTEGER NOT NULL,
    rung    INTEGER NOT NULL CHECK (rung >= 0),
    places  INTEGER NOT NULL CHECK (places > 0),
    keep    INTEGER NOT NULL CHECK (keep BETWEEN 0 AND places),
    epochs  INTEGER NOT NULL CHECK (epochs >= 0),  -- 0: as each trial says itself
    PRIMARY KEY (study, bracket, rung)
) STRICT, WITHOUT ROWID;

CREATE TABLE recorded_workers (
    id         INTEGER PRIMARY KEY,
    study      INTEGER NOT NULL REFERENCES recorded_studies (id),
    pid        INTEGER NOT NULL,
    program    TEXT NOT NULL,
    arithmetic TEXT NOT NULL,                  -- instruction set and precision
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    reason     TEXT                            -- why it ended
) STRICT;
CREATE INDEX recorded_workers_study ON recorded_workers (study);

CREATE TABLE recorded_trials (
    study         INTEGER NOT NULL REFERENCES recorded_studies (id),
    trial         INTEGER NOT NULL CHECK (trial >= 0),
    bracket       INTEGER NOT NULL,
    parameters    TEXT NOT NULL CHECK (json_valid(parameters)),
    configuration TEXT CHECK (configuration IS NULL OR json_valid(configuration)),
                                               -- NULL: it cannot be configured
    state         TEXT NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'running', 'paused', 'promoted', 'stopped',
                                   'completed', 'failed')),
    error         TEXT,
    started_ms    INTEGER NOT NULL,
    ended_ms      INTEGER,
    PRIMARY KEY (study, trial)
) STRICT, WITHOUT ROWID;

-- The drawn values once more, one a row, for SQL.  true and false are 1 and 0.
CREATE TABLE recorded_trial_parameters (
    study INTEGER NOT NULL,
    trial INTEGER NOT NULL,
    name  TEXT NOT NULL COLLATE NOCASE,
    value ANY,
    PRIMARY KEY (study, trial, name),
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial)
) STRICT, WITHOUT ROWID;
CREATE INDEX recorded_trial_parameters_value ON recorded_trial_parameters (study, name, value);

-- Every attempt at every stretch of training.
CREATE TABLE recorded_segments (
    study      INTEGER NOT NULL,
    trial      INTEGER NOT NULL,
    rung       INTEGER NOT NULL CHECK (rung >= 0),
    attempt    INTEGER NOT NULL CHECK (attempt > 0),
    from_epoch INTEGER NOT NULL CHECK (from_epoch >= 0),
    to_epoch   INTEGER NOT NULL CHECK (to_epoch > from_epoch),
    worker     INTEGER REFERENCES recorded_workers (id),
    state      TEXT NOT NULL DEFAULT 'running'
               CHECK (state IN ('running', 'ended', 'failed', 'retry', 'interrupted')),
    value      REAL,                           -- of the trial at this rung
    reason     TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    PRIMARY KEY (study, trial, rung, attempt),
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial),
    CHECK ((state = 'ended') = (value IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX recorded_segments_worker ON recorded_segments (worker);
CREATE INDEX recorded_segments_running ON recorded_segments (study, trial)
    WHERE state = 'running';

CREATE TABLE recorded_epochs (
    study       INTEGER NOT NULL,
    trial       INTEGER NOT NULL,
    epoch       INTEGER NOT NULL CHECK (epoch > 0),
    attempt     INTEGER NOT NULL CHECK (attempt > 0),
    checkpoint  TEXT,                          -- NULL: none, or deleted
    seconds     REAL NOT NULL,
    recorded_ms INTEGER NOT NULL,
    PRIMARY KEY (study, trial, epoch),
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial)
) STRICT, WITHOUT ROWID;

CREATE TABLE recorded_metrics (
    study INTEGER NOT NULL,
    trial INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    name  TEXT NOT NULL,
    value REAL,                                -- NULL: not finite
    PRIMARY KEY (study, trial, epoch, name),
    FOREIGN KEY (study, trial, epoch) REFERENCES recorded_epochs (study, trial, epoch)
) STRICT, WITHOUT ROWID;

-- What became of a trial at a rung, in the order in which it was decided.
CREATE TABLE recorded_decisions (
    id          INTEGER PRIMARY KEY,
    study       INTEGER NOT NULL,
    trial       INTEGER NOT NULL,
    bracket     INTEGER NOT NULL,
    rung        INTEGER NOT NULL CHECK (rung >= 0),
    verdict     TEXT NOT NULL CHECK (verdict IN ('promoted', 'stopped', 'completed', 'failed')),
    rank        INTEGER NOT NULL,              -- among those that had ended by then
    reason      TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    UNIQUE (study, trial, rung),
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial)
) STRICT;

CREATE TABLE recorded_faults (
    id          INTEGER PRIMARY KEY,
    study       INTEGER NOT NULL REFERENCES recorded_studies (id),
    trial       INTEGER,                       -- NULL: none was in hand
    attempt     INTEGER,
    worker      INTEGER REFERENCES recorded_workers (id),
    kind        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    action      TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial)
) STRICT;
CREATE INDEX recorded_faults_trial ON recorded_faults (study, trial);
CREATE INDEX recorded_faults_worker ON recorded_faults (worker);

-- The final training and evaluation of the winner: one row a study.
CREATE TABLE recorded_finals (
    study      INTEGER PRIMARY KEY REFERENCES recorded_studies (id),
    trial      INTEGER NOT NULL,
    attempt    INTEGER NOT NULL CHECK (attempt > 0),
    epochs     INTEGER NOT NULL CHECK (epochs >= 0),
    state      TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ended')),
    images     INTEGER CHECK (images >= 0),    -- of the test set
    correct    INTEGER CHECK (correct BETWEEN 0 AND images),
    test_loss  REAL,
    layers     TEXT CHECK (layers IS NULL OR json_valid(layers)),
    arithmetic TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    FOREIGN KEY (study, trial) REFERENCES recorded_trials (study, trial)
) STRICT;

CREATE TABLE recorded_final_epochs (
    study       INTEGER NOT NULL REFERENCES recorded_finals (study),
    epoch       INTEGER NOT NULL CHECK (epoch > 0),
    attempt     INTEGER NOT NULL CHECK (attempt > 0),
    checkpoint  TEXT,
    seconds     REAL NOT NULL,
    recorded_ms INTEGER NOT NULL,
    PRIMARY KEY (study, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE recorded_final_metrics (
    study INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    name  TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (study, epoch, name),
    FOREIGN KEY (study, epoch) REFERENCES recorded_final_epochs (study, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE recorded_predictions (
    study         INTEGER NOT NULL REFERENCES recorded_finals (study),
    image         INTEGER NOT NULL CHECK (image >= 0),
    label         INTEGER NOT NULL CHECK (label >= 0),
    predicted     INTEGER NOT NULL CHECK (predicted >= 0),
    probability   REAL,                        -- of the predicted class
    probabilities TEXT NOT NULL CHECK (json_valid(probabilities)),  -- of each class
    PRIMARY KEY (study, image)
) STRICT, WITHOUT ROWID;

-- The winner's weights: a checkpoint file as it is.
CREATE TABLE recorded_models (
    study INTEGER PRIMARY KEY REFERENCES recorded_finals (study),
    bytes BLOB NOT NULL
) STRICT;
