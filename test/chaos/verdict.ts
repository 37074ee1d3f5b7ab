import { SIGNALS } from '@slotstream/protocol'
import { connectNats, createLog, provision, sharedSettings } from '@slotstream/runtime'
import { heldBy, isEven } from '../support/aggregator.js'
import { replayedStreams } from '../support/profiles-of-stream.js'
import { until } from '../support/until.js'
import { wrongSignals } from '../support/wrong-signals.js'
import type { ChaosInstallation } from './installation.js'
import { wrongLake } from './lake-verdict.js'

/** How long the parts may take to get over everything, in milliseconds. */
const RECOVERY_MS = 120_000

/**
 * Waits until all is quiet, and compares what is stored with what it has to be. Returns what is wrong, one line each:
 * nothing, if the guarantees hold.
 *
 * @param acknowledged message ids that clients were told are stored, each with its visitor
 */
export async function verdict(installation: ChaosInstallation, acknowledged: Map<string, string>): Promise<string[]> {
  const wrong: string[] = []
  console.log(`all is whole again and ${acknowledged.size} messages are acknowledged: waiting for their rows`)
  await until(
    'every acknowledged message is in events',
    async () =>
      (await installation.query<{ n: number }>('SELECT uniqExact(message_id) AS n FROM slotstream.events'))[0],
    row => (row?.n ?? 0) >= acknowledged.size,
    { timeoutMs: RECOVERY_MS, everyMs: 500 },
  ).catch(error => wrong.push((error as Error).message))
  // What would be inserted twice may still be on its way.
  await new Promise(resolve => setTimeout(resolve, 3_000))

  const stored = await installation.query<{ message_id: string; anonymous_id: string; n: number }>(
    'SELECT message_id, any(anonymous_id) AS anonymous_id, count() AS n FROM slotstream.events GROUP BY message_id',
  )
  const ids = new Set(stored.map(row => row.message_id))
  report(
    'missing in events',
    [...acknowledged.keys()].filter(id => !ids.has(id)),
  )
  report(
    'more than once in events',
    stored.filter(row => row.n !== 1).map(row => row.message_id),
  )
  report(
    'in events, never acknowledged',
    [...ids].filter(id => !acknowledged.has(id)),
  )
  report(
    'with another visitor',
    stored.filter(row => acknowledged.get(row.message_id) !== row.anonymous_id).map(row => row.message_id),
  )

  for (const { what, live, recount } of AGGREGATES) {
    const [difference] = await installation.query<{ n: number }>(
      `SELECT count() AS n FROM ((${live} EXCEPT ${recount}) UNION ALL (${recount} EXCEPT ${live}))`,
    )
    if (difference?.n !== 0) wrong.push(`${what}: ${difference?.n} rows differ from a recount`)
  }
  console.log(`the rows are looked at: ${JSON.stringify(wrong)}`)
  wrong.push(...(await wrongProfilesAndSignals(installation)))
  console.log(`profiles and signals are looked at: ${JSON.stringify(wrong)}`)
  wrong.push(...(await wrongLake(installation, RECOVERY_MS)))
  wrong.push(...(await unevenShares(installation)))
  return wrong

  function report(what: string, messageIds: string[]) {
    if (messageIds.length > 0) wrong.push(`${messageIds.length} messages ${what}: ${messageIds.slice(0, 5).join(', ')}`)
  }
}

/** A page view, in SQL: messages of one id are one. */
const VIEW = "if(page_view_id = '', message_id, page_view_id)"

/** What analysts see, beside the same from the rows of `events` by other means. */
const AGGREGATES = [
  {
    what: 'sessions',
    live: `SELECT toUInt64(sum(events)) AS events, toUInt64(sum(page_views)) AS views FROM slotstream.sessions`,
    recount: `SELECT count() AS events, uniqExactIf((site_id, anonymous_id, session_id, ${VIEW}), type = 'page') AS views
              FROM slotstream.events WHERE anonymous_id != ''`,
  },
  {
    what: 'page_views',
    live: `SELECT page_path, count() AS n FROM slotstream.page_views GROUP BY page_path`,
    recount: `SELECT page_path, uniqExact((site_id, anonymous_id, ${VIEW})) AS n FROM slotstream.events
              WHERE type = 'page' AND anonymous_id != '' GROUP BY page_path`,
  },
]

/** A process that was killed, paused or cut off has its share again. */
async function unevenShares({ aggregators, partitions, streams, lakeStreams }: ChaosInstallation): Promise<string[]> {
  const uneven: string[] = []
  for (const [group, resources] of [
    ['profiles', partitions],
    ['warehouse', streams],
    ['batch', lakeStreams],
  ] as const)
    await until(
      `${group} are shared evenly`,
      () => Promise.all(aggregators.map(({ url }) => heldBy(url, group))),
      held => isEven(held, resources),
      { timeoutMs: RECOVERY_MS },
    ).catch(error => uneven.push((error as Error).message))
  return uneven
}

/** Profiles and signals as they are stored, beside those made from the stream from its very beginning. */
async function wrongProfilesAndSignals({ natsUrls, query }: ChaosInstallation): Promise<string[]> {
  const log = createLog('verdict')
  log.level = 'silent'
  const nats = await connectNats(natsUrls.join(','), 'verdict', log)
  try {
    const found = await provision(nats, sharedSettings({ NATS_REPLICAS: String(natsUrls.length) }), log)
    const { profiles } = found.buckets
    const { profiles: expected, signals } = await replayedStreams(nats, found)
    const differing = async () => {
      const different: string[] = []
      for (const [key, profile] of expected) {
        const entry = await profiles.get(key)
        const found = entry?.operation === 'PUT' ? entry.string() : 'nothing'
        if (found !== JSON.stringify(profile)) different.push(`${key} is ${found}, not ${JSON.stringify(profile)}`)
      }
      return different
    }
    // Profiles are stored behind; a partition that has moved is replayed first.
    const different = await until('profiles are stored', differing, list => list.length === 0, {
      timeoutMs: RECOVERY_MS,
      everyMs: 500,
    }).catch(differing)
    const wrong =
      different.length === 0 ? [] : [`${different.length} of ${expected.size} profiles differ: ${different[0]}`]
    const compare = () => wrongSignals(query, signals)
    const patience = { timeoutMs: RECOVERY_MS, everyMs: 500 }
    wrong.push(...(await until('signals are loaded', compare, list => list.length === 0, patience).catch(compare)))
    const kinds = new Map<string, number>()
    for (const { signal } of signals) kinds.set(signal, (kinds.get(signal) ?? 0) + 1)
    console.log(`signals: ${JSON.stringify(Object.fromEntries(kinds))}`)
    if (kinds.size < SIGNALS.length)
      wrong.push('not every kind of signal was detected: the run shows less than it should')
    return wrong
  } finally {
    await nats.close()
  }
}
