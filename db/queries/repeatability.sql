-- How much is luck: finished studies that are the same but for their name and seed, how
-- many seeds there were, and the mean, the spread (standard deviation) and the range of
-- their best values and of their test accuracies.
-- Of all studies; of those that are like one of them: :study.
WITH alike AS (
    SELECT s.study, json_remove(s.fingerprint, '$.seed') AS settings, s.seed,
           s.test_accuracy, t.value
    FROM studies s
    JOIN trials t ON t.study = s.study AND t.trial = s.winner
    WHERE s.state = 'finished')
SELECT min(study) AS study, count(DISTINCT seed) AS seeds, round(avg(value), 4) AS mean_value,
       round(sqrt(max(0, avg(value * value) - avg(value) * avg(value))
                  * count(*) / nullif(count(*) - 1, 0)), 5) AS value_spread,
       round(min(value), 4) AS least, round(max(value), 4) AS most,
       round(avg(test_accuracy), 4) AS mean_test_accuracy,
       round(max(test_accuracy) - min(test_accuracy), 5) AS test_accuracy_range
FROM alike
GROUP BY settings
HAVING :study IS NULL OR max(study = :study)
ORDER BY seeds DESC, study;
