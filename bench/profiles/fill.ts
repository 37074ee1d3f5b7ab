import { publishBacklog } from '../pipeline/backlog.js'
import { machineClock } from '../support/open-loop.js'
import { markdownTable, whole } from '../support/table.js'
import { ADMIN_TOKEN, type Owners, SITE, startOwners } from './owner.js'

/** A small history. */
const EVENTS = 100_000

const SEED = 5
const POLL_MS = 50
const DEADLINE_MS = 10 * 60_000

const COUNTED = { name: 'bench_seen', source: { event: '*' }, aggregate: 'count' }

/**
 * Measures the time from a changed set of features until each value counts the history, of a feature that is new and of
 * one that changes.
 */
export async function benchFill(backlog: number): Promise<string> {
  const owners = await startOwners()
  try {
    const { nats, installation } = owners
    const pieces = { nats, partitions: installation.partitions }
    const events = await publishBacklog(pieces, Math.min(EVENTS, backlog), SEED)
    const owner = await owners.owner()
    await owner.ready()
    const fresh = await fill(owners, COUNTED)
    const changed = await fill(owners, { ...COUNTED, by: 'event' })
    const rows = [
      [`a new feature, ${whole(events)} events in the stream`, seconds(fresh), '5'],
      ['a changed one', seconds(changed), '5'],
    ]
    return `History of features:\n\n${markdownTable(['', 's until it is counted and served', 'aim, s'], rows)}`
  } finally {
    await owners.stop()
  }
}

async function fill(owners: Owners, feature: object): Promise<number> {
  const begun = machineClock.now()
  await admin(owners, 'PUT', '/features', { features: [feature] })
  while ((await admin(owners, 'GET', `/features/${COUNTED.name}/explain`)).filling) {
    if (machineClock.now() - begun > DEADLINE_MS) throw new Error('the history of a feature was not counted')
    await machineClock.sleep(POLL_MS)
  }
  return machineClock.now() - begun
}

async function admin(owners: Owners, method: string, path: string, body?: object): Promise<{ filling?: true }> {
  const answer = await fetch(`${owners.collectorUrl}/v1/admin/sites/${SITE}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { filling?: true }
}

const seconds = (ms: number) => (ms / 1_000).toFixed(1)
