import { CONTENTS_THEN_SUBJECT, type ContentsThenReply, type ContentsThenRequest } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'

/** How long the warehouse may take, in milliseconds. */
const TIMEOUT_MS = 30_000

/**
 * Reads the ids of the contents of an earlier version of a slot from the tables. Resolves to undefined where they have
 * none, or no warehouse answers: a decision is explained without names then.
 */
export type ReadContentsThen = (request: ContentsThenRequest) => Promise<string[] | undefined>

/** Creates the function that asks a process with the role warehouse. */
export function createReadContentsThen(
  { connection }: Pick<Nats, 'connection'>,
  timeoutMs = TIMEOUT_MS,
): ReadContentsThen {
  return async request => {
    try {
      const answer = await connection.request(CONTENTS_THEN_SUBJECT, JSON.stringify(request), { timeout: timeoutMs })
      const reply = answer.json<ContentsThenReply>()
      return 'failed' in reply ? undefined : (reply.contentIds ?? undefined)
    } catch {
      return undefined
    }
  }
}
