-- Which arm of which experiment a decision was in, the shares by which persons were put into arms when it was made, the
-- person, and what those who are held out would have been shown.
ALTER TABLE slotstream.decisions
    ADD COLUMN IF NOT EXISTS experiment LowCardinality(String) AFTER holdout,
    ADD COLUMN IF NOT EXISTS arm LowCardinality(String) AFTER experiment,
    ADD COLUMN IF NOT EXISTS arm_shares Array(Float64) AFTER arm,
    ADD COLUMN IF NOT EXISTS person String AFTER arm_shares,
    ADD COLUMN IF NOT EXISTS ghost Array(String) AFTER person;
