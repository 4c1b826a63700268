-- How far each bracket went: in every rung how many trials there were, how many of them
-- were promoted, stopped and failed, and the best and the mean value.
-- Of the newest study, or of :study.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1)
SELECT r.bracket, r.rung, r.epochs, count(*) AS trials,
       sum(r.verdict IS 'promoted') AS promoted, sum(r.verdict IS 'stopped') AS stopped,
       sum(r.verdict IS 'failed') AS failed,
       max(iif(r.rank = 1, r.value, NULL)) AS best, round(avg(r.value), 4) AS mean
FROM rungs r JOIN chosen USING (study)
GROUP BY r.bracket, r.rung, r.epochs
ORDER BY r.bracket DESC, r.rung, r.epochs;
