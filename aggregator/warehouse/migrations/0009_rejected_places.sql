-- Where a message breaks its site's tracking plan, and by which version of the event's schema; and what else is needed
-- to take a rejected message once more as it came.
ALTER TABLE slotstream.rejected_events ADD COLUMN IF NOT EXISTS path String CODEC(ZSTD) AFTER code;
ALTER TABLE slotstream.rejected_events ADD COLUMN IF NOT EXISTS schema_version LowCardinality(String) AFTER path;
ALTER TABLE slotstream.rejected_events ADD COLUMN IF NOT EXISTS sent_at Nullable(DateTime64(3, 'UTC')) AFTER payload;
ALTER TABLE slotstream.rejected_events ADD COLUMN IF NOT EXISTS user_agent String CODEC(ZSTD) AFTER sent_at;
