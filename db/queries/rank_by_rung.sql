-- Whether the early rungs knew: for each trial that reached the last rung of its bracket,
-- its rank in each rung on the way beside its rank in the last one.  Where `rank` and
-- `final_rank` have little to do with each other, rungs are too short to judge by.
-- Of the newest study, or of :study.
WITH chosen (study) AS (
    SELECT study FROM studies WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1),
entries AS (SELECT r.* FROM rungs r JOIN chosen USING (study) WHERE r.rank IS NOT NULL),
last AS (SELECT bracket, max(rung) AS rung FROM entries GROUP BY bracket),
arrived AS (SELECT e.* FROM entries e JOIN last USING (bracket, rung)),
field AS (SELECT bracket, rung, count(*) AS trials FROM entries GROUP BY bracket, rung)
SELECT e.bracket, e.trial, a.rank AS final_rank, e.rung, e.epochs, e.rank, f.trials AS of,
       e.value
FROM entries e
JOIN arrived a ON a.bracket = e.bracket AND a.trial = e.trial
JOIN field f ON f.bracket = e.bracket AND f.rung = e.rung
WHERE a.rung > 0
ORDER BY e.bracket DESC, a.rank, e.rung;
