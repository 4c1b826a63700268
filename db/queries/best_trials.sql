-- The ten best trials of a study and their parameters, best first.
-- Of the newest study, or of :study.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1)
SELECT l.rank, l.trial, l.value, l.epochs, l.parameters
FROM leaderboard l JOIN chosen USING (study)
WHERE l.rank <= 10
ORDER BY l.rank;
