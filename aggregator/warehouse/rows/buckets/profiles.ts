import { DEFAULT_FEATURES, type Features, namesOfMembers } from '@slotstream/core'
import { type Check, fromKeyToken, isVisitorId, parseProfile } from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from '../row.js'
import { jsonLine, partitionOfSubject, storableTime } from '../text/line.js'
import { featuresOfRow } from './feature-values.js'

/**
 * Rows of `profile_versions`: one per change of the profiles bucket, whose subjects are
 * `$KV.profiles.<partition>.<siteId>.<keyed hash>`. A mark of deletion says whose it is in its body; an older one has
 * the visitor's id in its key.
 *
 * @param featuresOf returns the features of a site. Default: those that every site has
 */
export function profileRows(
  message: SourceMessage,
  seq: number,
  featuresOf: (siteId: string) => Features = () => DEFAULT_FEATURES,
): Row[] {
  const [siteId = '', token = ''] = message.subject.split('.').slice(3).map(fromKeyToken)
  const partition = partitionOfSubject(message.subject, 2)
  const { storedAt } = message
  const profile = message.deleted ? undefined : readMessage(message, parseProfile)
  // Known by a link only: it is no visitor until a message comes.
  if (profile?.events === 0) return []
  const visitorId = profile?.visitorId ?? (message.text === '' ? token : readMessage(message, parseRemoved))
  return [
    {
      line: jsonLine({
        site_id: siteId,
        visitor_id: visitorId,
        ...(profile && {
          anonymous_id: profile.anonymousId,
          user_id: profile.userId,
          first_seen: storableTime(profile.firstSeen),
          last_seen: storableTime(profile.lastSeen),
          sessions: profile.sessions,
          affinities: profile.affinities,
          segments: namesOfMembers(profile.members),
          traits: profile.traits,
          features: featuresOfRow(profile, featuresOf(siteId), Date.parse(storedAt)),
          stored_at: storedAt,
        }),
        deleted: message.deleted,
        stream_seq: seq,
        batch_index: 0,
      }),
      seq,
      index: 0,
      source: { siteId, partition, receivedAt: storedAt, messageId: null, payload: () => profile ?? null },
    },
  ]
}

/** Parses the body of a mark of deletion: whose profile it was. */
function parseRemoved(raw: unknown): Check<string> {
  const { visitorId } = (raw ?? {}) as { visitorId?: unknown }
  return isVisitorId(visitorId) ? { ok: true, value: visitorId } : { ok: false, reason: 'visitorId is missing' }
}
