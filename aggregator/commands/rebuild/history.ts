import type { ClickHouseClient } from '@clickhouse/client'
import { applyEnvelope, firePatterns } from '@slotstream/core'
import { type EventEnvelope, isPersonKey, type Profile, visitorKeySql } from '@slotstream/protocol'
import { EVENT_COLUMNS, type EventRow, envelopeOf, readEventRow } from '../../clickhouse/event-rows.js'
import { DEFAULT_DEFINITIONS, type ReducerDefinitions } from '../../profiles/definitions/compiled-definitions.js'

export type { EventRow } from '../../clickhouse/event-rows.js'

/** Positions between two others, which are left out. */
export interface Between {
  after: number
  before: number
}

/** Reads the rows of ranges of positions, visitor by visitor, each visitor's in the order of the streams. */
export async function* eventsBetween(
  clickhouse: ClickHouseClient,
  ranges: readonly Between[],
): AsyncGenerator<EventRow> {
  const within = ranges.map((_, i) => `(stream_seq > {after${i}:UInt64} AND stream_seq < {before${i}:UInt64})`)
  const ends = ranges.flatMap(({ after, before }, i) => [
    [`after${i}`, after],
    [`before${i}`, before],
  ])
  const result = await clickhouse.query({
    query: `SELECT ${EVENT_COLUMNS}
            FROM slotstream.events WHERE ${within.join(' OR ') || 'false'}
            ORDER BY site_id, ${visitorKeySql()}, stream_seq, batch_index
            SETTINGS max_bytes_before_external_sort = 268435456, output_format_json_quote_64bit_integers = 0`,
    query_params: Object.fromEntries(ends),
    format: 'JSONEachRow',
  })
  for await (const rows of result.stream<EventRow>()) for (const row of rows) yield readEventRow(row)
}

/**
 * Yields the profiles that rows of `events` give, one after the other. Pure. The table's JSON columns keep no nulls: a
 * trait that was removed by null is still there.
 *
 * @param asOf sequence that a visitor's profile is as of
 * @param anonymousDays see `applyAndDetect`
 * @param definitionsOf returns what a site declares
 * @param onEnvelope takes each envelope before it is applied
 */
export async function* profilesOf(
  rows: AsyncIterable<EventRow>,
  asOf: (siteId: string, visitorId: string) => number,
  anonymousDays?: number,
  definitionsOf: (siteId: string) => ReducerDefinitions = () => DEFAULT_DEFINITIONS,
  onEnvelope: (envelope: EventEnvelope) => void = () => {},
): AsyncGenerator<Profile> {
  let profile: Profile | undefined
  let count = 0
  for await (const row of rows) {
    const envelope = envelopeOf([row])
    onEnvelope(envelope)
    if (profile && (profile.siteId !== envelope.siteId || profile.visitorId !== envelope.visitorId)) {
      yield asKept(profile)
      profile = undefined
    }
    profile = applyEnvelope(profile, envelope, ++count, { anonymousDays, ...definitionsOf(envelope.siteId) })
  }
  if (profile) yield asKept(profile)

  function asKept(stored: Profile): Profile {
    return { ...stored, seq: asOf(stored.siteId, stored.visitorId) }
  }
}

/**
 * Returns the profile of a person with several visitors without the absences that were over at a time: rows do not say
 * what the others were told, so that one may have been refuted. What was found was emitted then.
 *
 * @param at time at which what follows the rows begins, in milliseconds since the epoch
 */
export function withoutEndedAbsences(
  profile: Profile,
  { patterns }: Pick<ReducerDefinitions, 'patterns'>,
  at: number,
): Profile {
  if (!profile.patterns || !patterns || (!profile.links && !isPersonKey(profile.visitorId))) return profile
  const { state } = firePatterns(patterns, profile.patterns, at)
  const { patterns: _before, ...others } = profile
  return state ? { ...others, patterns: state } : others
}
