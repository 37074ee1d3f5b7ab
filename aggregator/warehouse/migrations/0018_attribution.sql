-- The rule in force when a decision was made stands in its row, so that a change of the slot changes nothing that was
-- decided before. What was stored before there were rules has the default one. The index skips decisions under the default
-- rule, which are looked up by nothing.
ALTER TABLE slotstream.decisions
    ADD COLUMN IF NOT EXISTS attribution_rule LowCardinality(String) DEFAULT 'lastClick' AFTER holdout,
    ADD COLUMN IF NOT EXISTS attribution_hours UInt16 DEFAULT 24 AFTER attribution_rule,
    ADD INDEX IF NOT EXISTS by_attribution concat(attribution_rule, ' ', toString(attribution_hours)) TYPE set(16) GRANULARITY 1;

-- An id of a decision is a UUIDv7 that begins with the time of the decision, so an event tells the time of the decision
-- it answers. By that time, a question about a period finds what became of its decisions without reading the rest of the
-- table. Other events have their own time here, which keeps the ranges of the index narrow.
ALTER TABLE slotstream.events
    ADD INDEX IF NOT EXISTS by_decided_at if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC'), timestamp) TYPE minmax GRANULARITY 1;

-- Imported decisions keep the ids they had elsewhere; this finds them among others.
ALTER TABLE slotstream.decisions
    ADD INDEX IF NOT EXISTS by_foreign_id if(length(decision_id) = 36 AND substring(decision_id, 15, 1) = '7', toUInt8(UUIDv7ToDateTime(toUUIDOrZero(decision_id), 'UTC') != timestamp), 1) TYPE minmax GRANULARITY 1;
