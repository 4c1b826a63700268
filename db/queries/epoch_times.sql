-- What an epoch takes, by batch size: how many epochs there were, the mean, the fastest and
-- the slowest in seconds.
-- Of the newest study, or of :study; by another parameter than batch_size: :parameter.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1)
SELECT p.name AS parameter, p.value, count(*) AS epochs,
       round(avg(e.seconds), 3) AS mean_seconds, round(min(e.seconds), 3) AS fastest,
       round(max(e.seconds), 3) AS slowest
FROM chosen
JOIN trial_parameters p
    ON p.study = chosen.study AND p.name = coalesce(:parameter, 'batch_size')
JOIN epochs e ON e.study = p.study AND e.trial = p.trial
GROUP BY p.value
ORDER BY p.value;
