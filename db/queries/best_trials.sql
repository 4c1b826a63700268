-- The ten best trials of a study and their parameters, best first.
-- Of the newest study; for another one write  VALUES ('its_name')  inside the brackets.
WITH chosen (study) AS (SELECT study FROM studies ORDER BY id DESC LIMIT 1)
SELECT l.rank, l.trial, l.value, l.epochs, l.parameters
FROM leaderboard l JOIN chosen USING (study)
ORDER BY l.rank
LIMIT 10;
