-- Columns in one file (Compact) until a part has some 160,000 rows, instead of 13,000: a column of JSON is a file for each of
-- its paths otherwise. Inserting a large block takes a third less of ClickHouse's processor time for it, and merging small
-- ones as well (see bench/README.md). Queries by a path of JSON take twice as long in such a part, which is soon merged
-- into a larger one.
ALTER TABLE slotstream.events
    MODIFY SETTING min_bytes_for_wide_part = 134217728;
