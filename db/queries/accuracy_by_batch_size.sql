-- Validation accuracy by batch size: how many trials, their mean, the best of them, and
-- how many epochs they had on average (a scheduler that stops trials early gives the
-- promising ones more, so compare with care).  Each trial counts with its last epoch.
-- Of the newest study; for another study or parameter write
-- VALUES ('its_name', 'learning_rate')  inside the brackets.
WITH chosen (study, parameter) AS (
    SELECT study, 'batch_size' FROM studies ORDER BY id DESC LIMIT 1)
SELECT p.value AS batch_size, count(*) AS trials,
       round(avg(c.val_accuracy), 4) AS mean_accuracy,
       round(max(c.val_accuracy), 4) AS best_accuracy,
       round(avg(t.epochs), 1) AS mean_epochs
FROM chosen
JOIN trial_parameters p ON p.study = chosen.study AND p.name = chosen.parameter
JOIN trials t ON t.study = p.study AND t.trial = p.trial
JOIN curves c ON c.study = t.study AND c.trial = t.trial AND c.epoch = t.epochs
WHERE c.val_accuracy IS NOT NULL
GROUP BY p.value
ORDER BY mean_accuracy DESC;
