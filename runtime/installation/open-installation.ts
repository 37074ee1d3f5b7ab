import { bucketStream, pastParts, streamParts } from '@slotstream/protocol'
import type { Nats } from '../nats/connection/nats.js'
import { streamInfo } from '../nats/streams/stream-info.js'
import type { Log } from '../process/log.js'
import { type Pauses, retryForever } from '../process/retry.js'
import { ConfigurationError } from '../settings/read.js'
import { type Buckets, bucketNames, type Installation, ofEachBucket, ofEachKind } from './installation.js'
import { createPrivacy, knownPeopleSecret } from './keyed-hash.js'
import { readLayout } from './layout.js'
import { readGeneration } from './profiles-generation.js'

/** Between two looks while there is no installation yet, in milliseconds. */
const PAUSES: Pauses = { firstMs: 100, longestMs: 500 }

/** A line says what is waited for after so many looks, and again after as many more. */
const LOOKS_A_LINE = 20

/**
 * Opens what an aggregator creates in NATS, and waits until it is there. It creates and changes nothing, so it needs no
 * permission to: a collector, which faces the internet, has none.
 *
 * @param keys the buckets that are opened
 * @throws ConfigurationError when what is stored about the installation cannot be used
 */
export function openInstallation<Key extends keyof Buckets>(
  nats: Nats,
  keys: readonly Key[],
  log: Log,
): Promise<Installation<Key>> {
  return retryForever(
    () => openOnce(nats, keys, log),
    undefined,
    (error, attempt) => {
      if (attempt % LOOKS_A_LINE === LOOKS_A_LINE - 1)
        log.warn({ err: error }, 'waiting for the streams and buckets, which aggregators make when they start')
    },
    error => error instanceof ConfigurationError,
    PAUSES,
  )
}

async function openOnce<Key extends keyof Buckets>(
  nats: Nats,
  keys: readonly Key[],
  log: Log,
): Promise<Installation<Key>> {
  const isThere = async (stream: string) => (await streamInfo(nats, stream)) !== undefined
  const mustBeThere = async (stream: string) => {
    if (!(await isThere(stream))) throw new Error(`the installation lacks the stream ${stream}`)
  }
  const open = async (bucket: string) => {
    await mustBeThere(bucketStream(bucket))
    // Reads go to the leader: a replica may lag behind.
    return nats.kvm.open(bucket, { allow_direct: false })
  }
  const meta = await open(bucketNames(0).meta)
  const layout = there('its layout', await readLayout(meta, log)).layout
  const { partitions } = layout
  const past = await ofEachKind(kind =>
    Promise.all(
      pastParts(kind, partitions, layout.past[kind]).map(async part => ({
        ...part,
        gone: !(await isThere(part.name)),
      })),
    ),
  )
  const streams = await ofEachKind(async kind => {
    const parts = streamParts(kind, layout.streams[kind], partitions, layout.past[kind])
    await Promise.all(parts.map(part => mustBeThere(part.name)))
    return parts
  })
  const { generation } = await readGeneration(meta, log)
  const privacy = createPrivacy(there('its key for hashes of people', await knownPeopleSecret(meta, log)))
  const names = bucketNames(generation)
  const buckets = await ofEachBucket(key => open(names[key]), keys)
  return { partitions, streams, past, layout, generation, buckets, privacy }
}

function there<T>(what: string, value: T | undefined): T {
  if (value === undefined) throw new Error(`the installation lacks ${what}`)
  return value
}
