-- The learning curve of one trial: its losses and accuracies, epoch by epoch.
-- Of the best trial of the newest study; for another one write  VALUES ('its_study', 7)
-- inside the brackets.
WITH chosen (study, trial) AS (
    SELECT l.study, l.trial FROM leaderboard l JOIN studies s USING (study)
    WHERE l.rank = 1 ORDER BY s.id DESC LIMIT 1)
SELECT c.trial, c.epoch, c.train_loss, c.train_accuracy, c.val_loss, c.val_accuracy
FROM curves c JOIN chosen USING (study, trial)
ORDER BY c.epoch;
