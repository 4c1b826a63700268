-- How the search came nearer to its best: each time a trial did better than all before it,
-- when that was (seconds since the study began, epochs trained by then in all), the value,
-- and the regret, which is how far that is from the best that was found in the end.
-- Of the newest study, or of :study.
WITH chosen (study, sign, started_ms) AS (
    SELECT study, iif(goal = 'maximize', 1, -1), started_ms FROM studies
    WHERE :study IS NULL OR study = :study ORDER BY id DESC LIMIT 1),
reached AS (
    SELECT g.trial, g.rung, g.to_epoch, g.value, g.ended_ms, g.value * chosen.sign AS good,
           sum(g.to_epoch - g.from_epoch) OVER earlier AS epochs,
           max(g.value * chosen.sign) OVER (earlier ROWS BETWEEN UNBOUNDED PRECEDING
                                            AND 1 PRECEDING) AS best_before,
           max(g.value * chosen.sign) OVER () AS best, chosen.started_ms
    FROM segments g JOIN chosen USING (study)
    WHERE g.state = 'ended'
    WINDOW earlier AS (ORDER BY g.ended_ms, g.trial, g.rung))
SELECT round((ended_ms - started_ms) / 1000.0, 1) AS seconds, epochs AS epochs_so_far, trial,
       to_epoch AS its_epochs, value, round(best - good, 6) AS regret
FROM reached
WHERE best_before IS NULL OR good > best_before
ORDER BY ended_ms, trial, rung;
