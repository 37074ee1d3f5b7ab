import type { KV } from '@nats-io/kv'
import { parseSite } from '@slotstream/protocol'
import { type Log, usableValue } from '@slotstream/runtime'

/** Resolves to whether a site wants browsers to count that seem to be programs: its `bots` is `include`. */
export async function includesBots(sites: Pick<KV, 'get'>, siteId: string, log: Log): Promise<boolean> {
  const entry = await sites.get(siteId)
  return entry?.operation === 'PUT' && usableValue('sites', entry, parseSite, log)?.bots === 'include'
}
