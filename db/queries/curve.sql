-- The learning curve of one trial: its losses and accuracies, epoch by epoch.
-- Of the best trial of the newest study, or of :study, or of its trial :trial.
WITH chosen (study) AS (
    SELECT l.study FROM leaderboard l JOIN studies s USING (study)
    WHERE l.rank = 1 AND (:study IS NULL OR l.study = :study) ORDER BY s.id DESC LIMIT 1),
picked (study, trial) AS (
    SELECT l.study, coalesce(:trial, l.trial) FROM leaderboard l JOIN chosen USING (study)
    WHERE l.rank = 1)
SELECT c.trial, c.epoch, c.train_loss, c.train_accuracy, c.val_loss, c.val_accuracy
FROM curves c JOIN picked USING (study, trial)
ORDER BY c.epoch;
