-- The ten trials that took most of the time, and what an epoch of each took.
-- Of the newest study, or of :study.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1)
SELECT t.trial, round(t.seconds, 1) AS seconds, t.epochs,
       round(t.seconds / t.epochs, 2) AS seconds_per_epoch, t.parameters
FROM trials t JOIN chosen USING (study)
WHERE t.epochs > 0
ORDER BY t.seconds DESC, t.trial
LIMIT 10;
