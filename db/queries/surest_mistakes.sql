-- The test images that the model got wrong while it was surest: often their labels are
-- worth a look.
-- Of the newest study that has been evaluated, or of :study.
WITH chosen (study) AS (
    SELECT f.study FROM finals f JOIN studies s USING (study)
    WHERE f.state = 'ended' AND (:study IS NULL OR f.study = :study) ORDER BY s.id DESC LIMIT 1)
SELECT p.image, p.label, p.predicted, round(p.probability, 4) AS probability
FROM predictions p JOIN chosen USING (study)
WHERE NOT p.correct
ORDER BY p.probability DESC, p.image
LIMIT 20;
