-- Which classes of the test set are taken for which others most often.
-- Of the newest study that has been evaluated, or of :study.
WITH chosen (study) AS (
    SELECT f.study FROM finals f JOIN studies s USING (study)
    WHERE f.state = 'ended' AND (:study IS NULL OR f.study = :study) ORDER BY s.id DESC LIMIT 1)
SELECT c.label, c.predicted, c.images,
       round(100.0 * c.images / (SELECT sum(a.images) FROM confusion a
                                 WHERE a.study = c.study AND a.label = c.label), 2)
           AS percent_of_class
FROM confusion c JOIN chosen USING (study)
WHERE c.label <> c.predicted
ORDER BY c.images DESC, c.label, c.predicted
LIMIT 10;
