-- Version 3: the arithmetic and the precision that trials are trained in.

-- What the first configuration is trained in on the machine where the study began: "fp32",
-- "bf16"; NULL: its trainer did not say.
ALTER TABLE recorded_studies ADD COLUMN precision TEXT;

-- Of the segment's own training; NULL: that of its worker.
ALTER TABLE recorded_segments ADD COLUMN arithmetic TEXT;
