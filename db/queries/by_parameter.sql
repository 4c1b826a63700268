-- What each value of each parameter came to: how many trials had it, the mean and the best
-- of their values, and how many epochs they had on average (a scheduler that stops trials
-- early gives the promising ones more, so compare with care).  A parameter with more than
-- eight values stands in four groups of as many trials, from the least value to the largest.
-- Of the newest study, or of :study; of one parameter alone: :parameter.
WITH chosen (study, sign) AS (
    SELECT study, iif(goal = 'maximize', 1, -1) FROM studies
    WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1),
drawn AS (
    SELECT p.name, p.value AS setting, t.value, t.epochs, chosen.sign,
           ntile(4) OVER (PARTITION BY p.name ORDER BY p.value, t.trial) AS quarter
    FROM chosen
    JOIN trial_parameters p USING (study)
    JOIN trials t ON t.study = p.study AND t.trial = p.trial
    WHERE t.value IS NOT NULL AND (:parameter IS NULL OR p.name = :parameter)),
counted AS (SELECT name, count(DISTINCT setting) AS settings FROM drawn GROUP BY name),
grouped AS (
    SELECT name, iif(settings > 8, quarter, setting) AS part, settings > 8 AS many,
           min(setting) AS least, max(setting) AS most, count(*) AS trials,
           avg(value) AS mean, max(value * sign) * sign AS best, avg(epochs) AS epochs
    FROM drawn JOIN counted USING (name)
    GROUP BY name, part)
SELECT p.name AS parameter,
       iif(many, format('%g to %g', least, most), least) AS value, trials,
       round(mean, 4) AS mean, round(best, 4) AS best, round(g.epochs, 1) AS mean_epochs
FROM grouped g JOIN chosen JOIN parameters p ON p.study = chosen.study AND p.name = g.name
ORDER BY p.position, part;
