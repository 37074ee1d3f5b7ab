import type { Client } from '../client.js'
import { ReplayError } from '../errors.js'
import { createProgress, type Output } from '../progress.js'
import { isAmong } from '../secret-key.js'
import { findFiles, inspectLog, readItems, readLog } from './files.js'
import { type Source, toContent, toSlot } from './open-bandit.js'
import { LANES, type Parcel, packParcels } from './parcels.js'

export interface ReplayOptions {
  /** The log, or the folder it is in. */
  path: string
  siteId: string
  writeKey: string
  /** Given to a site that is made; one that is there must have it, if it has any. Default: none. */
  secretKey?: string
  policy: string
  client: Client
  output: Output
}

/**
 * Counts of what a replay sent. Sent is not new: what an earlier replay brought counts here too, but not in the
 * warehouse.
 */
export interface ReplaySummary {
  impressions: number
  clicks: number
  contents: number
}

/**
 * Replays an Open Bandit log: creates the site unless it is there, its slot and its content, then sends every row's
 * decision, impression and click with its original time. Running it again, also after it was killed half-way, changes
 * nothing that is there. Throws a ReplayError when the log can't be read or the collector refuses something.
 */
export async function replayOpenBandit(options: ReplayOptions): Promise<ReplaySummary> {
  const { path, siteId, policy, client, output } = options
  const files = await findFiles(path)
  const log = await inspectLog(files.log)
  const items = files.items === undefined ? new Map<string, Record<string, string>>() : await readItems(files.items)
  const contentIds = [...new Set([...items.keys(), ...log.contentIds])]

  const key = await ensureSite(options)
  await client.putCatalog(siteId, { slots: [toSlot()], content: contentIds.map(id => toContent(id, items.get(id))) })

  const source: Source = { siteId, fingerprint: log.fingerprint, policy }
  const progress = createProgress(log.impressions, output)
  const send = async (parcel: Parcel) => {
    const { decisions, batch } = parcel
    const imported = await client.importDecisions(siteId, decisions)
    refuseRejections('decisions', imported.rejected)
    const { rejected } = await client.sendBatch(batch, key)
    refuseRejections('messages', rejected)
    progress.add(parcel.rows)
  }
  try {
    await sendInLanes(packParcels(readLog(files.log), source), send)
  } finally {
    progress.end()
  }
  return { impressions: log.impressions, clicks: log.clicks, contents: contentIds.length }
}

/**
 * Makes the site when there is none. One that is there keeps its settings, which pages may depend on.
 *
 * @returns the key to send with: a secret one where the site has some, so that old times are taken as they are
 */
async function ensureSite({ client, siteId, writeKey, secretKey }: ReplayOptions): Promise<string> {
  const { sites } = await client.listSites()
  const site = sites.find(each => each.siteId === siteId)
  if (!site) {
    const name = `Open Bandit (${siteId})`
    const secretKeys = secretKey === undefined ? {} : { secretKeys: [secretKey] }
    await client.putSite({ siteId, name, writeKeys: [writeKey], allowedOrigins: [], debug: false, ...secretKeys })
    return secretKey ?? writeKey
  }
  const fingerprints = site.secretKeyFingerprints ?? []
  if (fingerprints.length > 0) {
    if (secretKey !== undefined && isAmong(fingerprints, secretKey)) return secretKey
    throw new ReplayError(`the site ${siteId} has secret keys, and old times need one: give one in SECRET_KEY`)
  }
  if (!site.writeKeys.includes(writeKey))
    throw new ReplayError(`the site ${siteId} has no write key "${writeKey}": give one of its own with --write-key`)
  return writeKey
}

/** Lanes run side by side; within one, a parcel waits for the one before it. */
async function sendInLanes(parcels: AsyncIterable<Parcel>, send: (parcel: Parcel) => Promise<void>): Promise<void> {
  const lanes: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve())
  for await (const parcel of parcels) {
    await lanes[parcel.lane]
    const sending = send(parcel)
    // Awaited by the lane's next parcel, or at the end; until then a failure must not count as unhandled.
    sending.catch(() => {})
    lanes[parcel.lane] = sending
  }
  await Promise.all(lanes)
}

function refuseRejections(what: string, rejected: { reason: string }[]): void {
  if (rejected.length === 0) return
  throw new ReplayError(`the collector rejected ${rejected.length} ${what}, the first because: ${rejected[0]?.reason}`)
}
