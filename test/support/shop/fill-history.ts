/** Decisions of the history, one every 17.28 seconds of its 60 days, and the events of each. */
const DECISIONS = 300_000

/**
 * Statements that fill a long history of the site `large`, from 1 March 2026, made by the engine itself: evenly spread
 * decisions of one slot, all of them seen, one in fifty clicked, and as many events of other kinds.
 */
export const FILL_HISTORY = [
  `INSERT INTO slotstream.decisions (site_id, decision_id, timestamp, slot_id, anonymous_id, policy, content_ids, propensities,
     position, outcome, holdout, received_at, stream_seq, batch_index)
   WITH
     toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(number * 17280) AS at,
     leftPad(lower(hex(toUnixTimestamp64Milli(at))), 12, '0') AS time
   SELECT 'large', concat(substring(time, 1, 8), '-', substring(time, 9, 4), '-7000-8000-', leftPad(lower(hex(number)), 12, '0')),
     at, 'hero', concat('v', toString(number % 5000)), 'random', ['tent'], [1], 1, 'served', false, at, number + 1, 0
   FROM numbers(${DECISIONS})`,
  `INSERT INTO slotstream.events (site_id, message_id, type, event, anonymous_id, timestamp, original_timestamp, received_at,
     slot_id, content_id, decision_id, stream_seq, batch_index)
   SELECT 'large', concat(decision_id, toString(step)), 'track',
     if(step = 2 AND cityHash64(decision_id) % 50 = 0, 'Slot Clicked', if(step = 0, 'Slot Viewed', 'Other')), anonymous_id,
     timestamp + toIntervalSecond(step), timestamp + toIntervalSecond(step), timestamp, 'hero', 'tent',
     if(step = 1, '', decision_id), stream_seq, step
   FROM slotstream.decisions ARRAY JOIN [0, 1, 2, 3] AS step WHERE site_id = 'large'`,
]
