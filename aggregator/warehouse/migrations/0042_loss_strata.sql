-- How much of its messages the browser of an outcome loses: what it has earned is weighted by it when a model is made.
ALTER TABLE slotstream.learning_outcomes
    ADD COLUMN IF NOT EXISTS stratum UInt8 AFTER previous,
    ADD COLUMN IF NOT EXISTS previous_stratum UInt8 AFTER stratum;
