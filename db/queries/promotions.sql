-- What was promoted in each rung, and why: the brackets in the order in which they were
-- run, their rungs from the lowest to the highest, the best trial of each first.
-- Of the newest study; for another one write  VALUES ('its_name')  inside the brackets.
WITH chosen (study) AS (SELECT study FROM studies ORDER BY id DESC LIMIT 1)
SELECT r.bracket, r.rung, r.epochs, r.trial, r.value, r.rank, r.reason
FROM rungs r JOIN chosen USING (study)
WHERE r.verdict = 'promoted'
ORDER BY r.bracket DESC, r.rung, r.rank;
