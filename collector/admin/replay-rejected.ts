import { type KeyKind, MAX_REPLAYED, type Message, parseTime, type Rejection } from '@slotstream/protocol'
import type { Publisher, Tombstones } from '@slotstream/runtime'
import type { Router } from 'express'
import type { Enrich } from '../enrich/enrich.js'
import { Failure } from '../http/failure.js'
import { forgottenMessage } from '../intake/accept/forgotten.js'
import { eventPublications, type Publication } from '../intake/publish/publications.js'
import { publishAll } from '../intake/publish/publish-all.js'
import { takeBatch } from '../intake/take-batch.js'
import { createSenders } from '../keys/senders.js'
import type { CollectorMetrics } from '../metrics.js'
import type { Plans } from '../plan/plans.js'
import { fieldsOf, objectOf } from './admin-request.js'
import type { SiteRouteDeps } from './route-deps.js'

export interface ReplayRouteDeps extends SiteRouteDeps {
  plans: Pick<Plans, 'of'>
  enrich: Enrich
  publisher: Publisher
  partitions: number
  metrics: CollectorMetrics
  tombstones: () => Tombstones
}

/** A rejected message as it came. Times are milliseconds since the epoch. */
interface Arrived {
  message: Partial<Message> & { messageId: string }
  received: number
  /** Kind of the key it came with. */
  key: KeyKind
  sentAt?: string | undefined
  userAgent?: string | undefined
}

/**
 * `/sites/:siteId/rejected/replay`: takes rejected messages once more, by today's rules and as if they arrived when
 * they did. So a message becomes the same event however often it is replayed. What is still invalid is named and stored
 * nowhere: it is among the rejected already. With `dryRun` nothing is stored at all.
 */
export function addReplayRoute(router: Router, deps: ReplayRouteDeps): void {
  const { siteOf, plans, enrich, publisher, partitions, metrics, tombstones } = deps

  router.post('/sites/:siteId/rejected/replay', async (request, response) => {
    const site = siteOf(request)
    const { siteId } = site
    const { messages, dryRun } = fieldsOf(await objectOf(request), ['messages', 'dryRun'])
    const arrived = arrivedOf(messages)
    const plan = plans.of(siteId)
    const publications: Publication[] = []
    const rejected: Rejection[] = []
    for (const [index, { message, received, key, sentAt, userAgent }] of arrived.entries()) {
      const { identitySecret } = site
      // The signature was taken out when the message came; what was found then is beside it.
      const verified = message.context?.identity?.verified === true
      const senders = createSenders(site, key, received, identitySecret === undefined ? undefined : () => verified)
      const arrival = {
        siteId,
        received,
        bytes: Number.MAX_SAFE_INTEGER,
        userAgent,
        plan,
        senders,
        newId: idIsThere,
        isForgotten: forgottenMessage(tombstones(), siteId),
      }
      // The address is not kept, so the place is not known any more.
      const enricher = enrich(site, { userAgent, address: () => '' })
      const batch = takeBatch({ batch: [message], sentAt }, { ...arrival, enricher })
      // One by one, so that the broker knows a message again whatever was replayed together with it.
      for (const envelope of batch.envelopes) publications.push(...eventPublications(envelope, 'replay', partitions))
      for (const rejection of batch.rejections) rejected.push({ ...rejection, index })
    }
    if (dryRun !== true) {
      await publishAll(publisher, publications, metrics)
      metrics.ofSite(siteId).accepted(publications.length)
    }
    response.json({ accepted: publications.length, rejected })
  })
}

function arrivedOf(messages: unknown): Arrived[] {
  if (!Array.isArray(messages) || messages.length > MAX_REPLAYED)
    throw new Failure(
      'malformed',
      `send {"messages": [{"message", "receivedAt", "sender", "sentAt", "userAgent"}, …]}, ${MAX_REPLAYED} at most`,
    )
  return messages.map((raw: Partial<Record<string, unknown>> | null, index) => {
    const { message, receivedAt, sender = 'public', sentAt, userAgent } = raw ?? {}
    const received = typeof receivedAt === 'string' ? parseTime(receivedAt) : undefined
    if (received === undefined || received > Date.now())
      throw new Failure('malformed', `messages[${index}].receivedAt must be the time when it was rejected`)
    if (sender !== 'public' && sender !== 'secret')
      throw new Failure('malformed', `messages[${index}].sender must be public or secret: the key that it came with`)
    const { messageId } = (message ?? {}) as { messageId?: unknown }
    if (typeof messageId !== 'string' || messageId === '')
      throw new Failure('malformed', `messages[${index}].message needs a messageId: with it a replay can be repeated`)
    return {
      message: message as Arrived['message'],
      received,
      key: sender,
      sentAt: typeof sentAt === 'string' ? sentAt : undefined,
      userAgent: typeof userAgent === 'string' && userAgent !== '' ? userAgent : undefined,
    }
  })
}

function idIsThere(): never {
  throw new Error('a message without an id was let through')
}
