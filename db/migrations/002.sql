-- Version 2: trials that early stopping ends before they reach their milestone.

-- The last epoch of a trial that early stopping has ended; NULL: it has not.
ALTER TABLE recorded_trials ADD COLUMN early_end INTEGER CHECK (early_end > 0);
