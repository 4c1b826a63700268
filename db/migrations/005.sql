-- Version 5: images of the test set, for people to look at.

-- Beside the predictions of the final evaluation: its mistakes, and a few right answers of
-- each class; [height][width][channels] bytes.
CREATE TABLE recorded_images (
    study  INTEGER NOT NULL REFERENCES recorded_finals (study),
    image  INTEGER NOT NULL CHECK (image >= 0),
    pixels BLOB NOT NULL,
    PRIMARY KEY (study, image)
) STRICT, WITHOUT ROWID;
