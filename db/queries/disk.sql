-- Where the disk went: what each study holds in the database (its model, the predictions on
-- the test set, and the rest of what is recorded), in KiB, and how many checkpoints are kept
-- beside it; and the size of the file, in which indices and free pages count too.
-- Of all studies; of one alone: :study.
WITH predicted AS (
    SELECT study, sum(length(probabilities) + 20) AS bytes FROM predictions GROUP BY study),
kept AS (
    SELECT study, count(checkpoint) AS checkpoints FROM epochs GROUP BY study),
measured AS (
    SELECT study, count(*) * 40 AS bytes FROM metrics GROUP BY study),
tried AS (
    SELECT study, sum(2 * length(parameters) + coalesce(length(configuration), 0)) AS bytes
    FROM trials GROUP BY study),
sizes AS (
    SELECT s.id, s.study, coalesce(length(m.bytes), 0) AS model,
           coalesce(p.bytes, 0) AS predictions,
           coalesce(e.bytes, 0) + coalesce(t.bytes, 0) + length(s.text)
               + length(s.fingerprint) AS records,
           coalesce(k.checkpoints, 0) AS checkpoints
    FROM studies s
    LEFT JOIN models m USING (study)
    LEFT JOIN predicted p USING (study)
    LEFT JOIN kept k USING (study)
    LEFT JOIN measured e USING (study)
    LEFT JOIN tried t USING (study)
    WHERE :study IS NULL OR s.study = :study)
SELECT study, round(model / 1024.0, 1) AS model_kib, round(predictions / 1024.0, 1)
           AS predictions_kib, round(records / 1024.0, 1) AS records_kib,
       checkpoints AS checkpoints_kept, NULL AS file_kib
FROM (SELECT * FROM sizes ORDER BY id)
UNION ALL
SELECT 'the whole file', NULL, NULL, NULL, sum(checkpoints),
       (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)
           / 1024.0
FROM sizes
HAVING count(*) > 0;
