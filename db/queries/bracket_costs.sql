-- What each bracket cost, and what it found: its trials, their epochs and seconds of
-- training, its share of the time, its best value and the trial that has it.
-- Of the newest study, or of :study.
WITH chosen (study, sign) AS (
    SELECT study, iif(goal = 'maximize', 1, -1) FROM studies
    WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1),
judged AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.bracket ORDER BY t.value IS NULL,
                                   -t.value * chosen.sign, t.trial) AS place
    FROM trials t JOIN chosen USING (study))
SELECT bracket, count(*) AS trials, sum(epochs) AS epochs, round(sum(seconds), 1) AS seconds,
       round(100 * sum(seconds) / nullif(sum(sum(seconds)) OVER (), 0), 1) AS percent_of_time,
       round(max(iif(place = 1, value, NULL)), 4) AS best,
       max(iif(place = 1 AND value IS NOT NULL, trial, NULL)) AS best_trial
FROM judged
GROUP BY bracket
ORDER BY bracket DESC;
