-- What failed and why: trials that failed, and faults of workers, most of which cost only
-- another attempt.
-- Of the newest study, or of :study.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1)
SELECT t.trial, NULL AS attempt, 'trial failed' AS what, t.error AS why, NULL AS action
FROM trials t JOIN chosen USING (study)
WHERE t.state = 'failed'
UNION ALL
SELECT f.trial, f.attempt, f.kind, f.reason, f.action
FROM faults f JOIN chosen USING (study)
ORDER BY 1, 2;
