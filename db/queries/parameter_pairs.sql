-- Which two parameters do well together: for each pair of values the mean and the best of
-- the trials that had both, best mean first.  Parameters with more than eight values stand
-- in three groups of as many trials: low, middle, high.  Pairs that only one trial had say
-- little and are left out.
-- Of the newest study, or of :study.
WITH chosen (study, sign) AS (
    SELECT study, iif(goal = 'maximize', 1, -1) FROM studies
    WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1),
drawn AS (
    SELECT q.position, p.name, p.value AS setting, t.trial, t.value, chosen.sign,
           ntile(3) OVER (PARTITION BY p.name ORDER BY p.value, t.trial) AS third
    FROM chosen
    JOIN parameters q USING (study)
    JOIN trial_parameters p ON p.study = q.study AND p.name = q.name
    JOIN trials t ON t.study = p.study AND t.trial = p.trial
    WHERE t.value IS NOT NULL),
counted AS (SELECT name, count(DISTINCT setting) AS settings FROM drawn GROUP BY name),
named AS (
    SELECT position, name, trial, value, sign,
           iif(settings > 8,
               CASE third WHEN 1 THEN 'low' WHEN 2 THEN 'middle' ELSE 'high' END, setting)
               AS setting
    FROM drawn JOIN counted USING (name))
SELECT a.name AS one, a.setting AS its_value, b.name AS other, b.setting AS other_value,
       count(*) AS trials, round(avg(a.value), 4) AS mean,
       round(max(a.value * a.sign) * a.sign, 4) AS best
FROM named a JOIN named b ON b.trial = a.trial AND b.position > a.position
GROUP BY a.position, a.setting, b.position, b.setting
HAVING count(*) > 1
ORDER BY avg(a.value) * a.sign DESC, a.position, b.position, 2, 4
LIMIT 20;
