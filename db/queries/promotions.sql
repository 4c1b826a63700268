-- What was promoted in each rung, and why: the brackets in the order in which they were
-- run, their rungs from the lowest to the highest, the best trial of each first.
-- Of the newest study, or of :study.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1)
SELECT r.bracket, r.rung, r.epochs, r.trial, r.value, r.rank, r.reason
FROM rungs r JOIN chosen USING (study)
WHERE r.verdict = 'promoted'
ORDER BY r.bracket DESC, r.rung, r.rank;
