-- Version 7: the order of the trials is read from the index alone.

-- With the condition on `value`, which is not in the index, each trial was looked up.
DROP INDEX recorded_trials_best;
CREATE INDEX recorded_trials_best
    ON recorded_trials (study, order_epochs, order_value, trial) WHERE order_value IS NOT NULL;
