import {
  DEFAULT_VALUE_CHANGES,
  isObject,
  MAX_VALUE_CHANGES,
  nearest,
  VALUE_HISTORY_SUBJECT,
  type ValueHistory,
  type ValueHistoryReply,
  type ValueHistoryRequest,
} from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'

/** How long the warehouse may take, in milliseconds. */
const TIMEOUT_MS = 30_000

/**
 * Reads which messages changed a value.
 *
 * @throws Failure `unavailable` when no warehouse answers
 */
export type ReadValueHistory = (request: ValueHistoryRequest) => Promise<ValueHistory>

/** Creates the function that asks a process with the role warehouse. */
export function createReadValueHistory(
  { connection }: Pick<Nats, 'connection'>,
  timeoutMs = TIMEOUT_MS,
): ReadValueHistory {
  return async request => {
    const answer = await connection
      .request(VALUE_HISTORY_SUBJECT, JSON.stringify(request), { timeout: timeoutMs })
      .catch(() => {
        throw new Failure('unavailable', 'no aggregator with the role warehouse answers: start one, and ask again')
      })
    const reply = answer.json<ValueHistoryReply>()
    if ('failed' in reply) throw new Failure('unavailable', reply.failed)
    return reply.history
  }
}

/**
 * Returns what is to be asked about a described profile.
 *
 * @param query of the request: `feature`, and `limit` or none
 * @throws Failure `malformed`; `not_found` where the site has no such feature
 */
export function valueHistoryRequest(siteId: string, profile: object, query: Record<string, unknown>) {
  const { feature, limit: limitText = String(DEFAULT_VALUE_CHANGES) } = query
  if (typeof feature !== 'string') throw new Failure('malformed', 'name the feature: …/history?feature=NAME')
  const limit = typeof limitText === 'string' && /^\d+$/.test(limitText) ? Number(limitText) : 0
  if (limit < 1 || limit > MAX_VALUE_CHANGES)
    throw new Failure('malformed', `limit is not a whole number from 1 to ${MAX_VALUE_CHANGES}`)
  const { person, features, anonymousId } = profile as Record<string, unknown>
  const names = isObject(features) ? Object.keys(features) : []
  if (!names.includes(feature)) {
    const meant = nearest(feature, names)
    throw new Failure('not_found', `there is no feature ${feature}${meant ? `: did you mean ${meant}?` : ''}`)
  }
  const { userId = '', browsers = [] } = isObject(person) ? person : {}
  // A browser of no user is its own person.
  const ids = new Set([...(browsers as string[]), ...(userId === '' ? [String(anonymousId)] : [])])
  return { siteId, userId: String(userId), browsers: [...ids], feature, limit } satisfies ValueHistoryRequest
}
