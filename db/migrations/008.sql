-- Version 8: an index less to keep.

-- Each trial's values went to as many far apart places of it as the trial has parameters: more
-- than half of all that was written for a trial, and the more the larger the study was.  What
-- asks for parameters by their value reads those of the study whole, in their own order.
DROP INDEX recorded_trial_parameters_value;
