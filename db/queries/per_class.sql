-- Precision, recall and F1 of each class on the test set, worst F1 first.
-- Of the newest study that has been evaluated, or of :study.
WITH chosen (study) AS (
    SELECT f.study FROM finals f JOIN studies s USING (study)
    WHERE f.state = 'ended' AND (:study IS NULL OR f.study = :study) ORDER BY s.id DESC LIMIT 1),
counts AS (SELECT c.* FROM confusion c JOIN chosen USING (study)),
classes AS (SELECT label AS class FROM counts UNION SELECT predicted FROM counts),
sums AS (
    SELECT class,
           (SELECT total(images) FROM counts WHERE label = class AND predicted = class) AS hits,
           (SELECT total(images) FROM counts WHERE label = class) AS support,
           (SELECT total(images) FROM counts WHERE predicted = class) AS predicted
    FROM classes)
SELECT class, round(coalesce(hits / predicted, 0), 4) AS precision,
       round(coalesce(hits / support, 0), 4) AS recall,
       round(2 * hits / (support + predicted), 4) AS f1, CAST(support AS INTEGER) AS support
FROM sums
ORDER BY f1, class;
