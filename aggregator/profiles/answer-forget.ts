import type { Msg } from '@nats-io/transport-node'
import { type ForgetRequest, forgetSubject } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import type { ProfileSet } from './profile-set.js'

/**
 * Answers requests to drop profiles of partitions that this process holds, with `{"erased": n}`. Requests for other
 * partitions stay without an answer from here.
 */
export function answerForget({
  nats,
  holds,
  profileSets,
  log,
}: {
  nats: Pick<Nats, 'connection'>
  holds: (partition: number) => boolean
  profileSets: () => Pick<ProfileSet, 'forget'>[]
  log: Log
}): { stop(): Promise<void> } {
  const prefix = forgetSubject(0).slice(0, -1)
  const subscription = nats.connection.subscribe(`${prefix}*`, {
    callback(error, message) {
      if (error) return log.error({ err: error }, 'requests to delete profiles cannot be received')
      answer(message).catch(failure => log.warn({ err: failure }, 'profiles could not be deleted'))
    },
  })

  async function answer(message: Msg): Promise<void> {
    const partition = Number(message.subject.slice(prefix.length))
    const request = parse(message)
    if (!request || !holds(partition)) return
    const erased = await Promise.all(profileSets().map(profileSet => profileSet.forget(partition, request)))
    if (erased.some(count => count === undefined) || !holds(partition)) return
    message.respond(JSON.stringify({ erased: erased.reduce<number>((sum, count) => sum + (count ?? 0), 0) }))
  }

  // A connection that is closed has ended the subscription.
  return { stop: async () => (nats.connection.isClosed() ? undefined : subscription.drain()) }
}

function parse(message: Msg): ForgetRequest | undefined {
  try {
    const { siteId, visitorIds, before, links = [] } = message.json<Partial<ForgetRequest>>()
    if (typeof siteId !== 'string' || !Array.isArray(visitorIds) || typeof before !== 'number') return undefined
    if (!Array.isArray(links)) return undefined
    return { siteId, visitorIds: visitorIds.filter(id => typeof id === 'string'), before, links: links.filter(isPair) }
  } catch {
    return undefined
  }
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every(id => typeof id === 'string')
}
