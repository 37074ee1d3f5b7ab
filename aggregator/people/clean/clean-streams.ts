import { headers } from '@nats-io/transport-node'
import { bucketStream, type StreamKind, type StreamPart } from '@slotstream/protocol'
import { type Installation, KINDS, type Log, type Nats, readWhole } from '@slotstream/runtime'
import { forEachAtOnce } from '../../profiles/store/for-each-at-once.js'
import { LOADED_HEADER } from '../../warehouse/positions/loaded-header.js'
import { completeThrough, positionKeeper } from '../../warehouse/positions/position.js'
import type { FindDeps } from '../find/find-person.js'
import { mayName } from '../find/matches-text.js'
import { PLACES, placeOfStream } from '../find/places.js'
import { type Stripped, strip, stripLetter, type Whose } from './strip.js'

/** Messages that are removed and then reported together, characters of them in memory, and how many go at a time. */
const WAVE = 256
const WAVE_LENGTH = 4_000_000
const AT_ONCE = 32

export interface CleanStreamsDeps {
  nats: Nats
  installation: Installation
  log: Log
  whose: Whose
  /** Called with what was removed, as it goes. */
  report: (place: string, removed: number) => Promise<void>
  /** Ends it; it throws. */
  signal: AbortSignal
}

/** Data of a person that was found in a message of a stream. */
export interface FoundMessage extends Stripped {
  stream: string
  seq: number
  subject: string
  kind: StreamKind | undefined
  /** Length of its text. */
  length: number
}

/** Finds what is the person's in all streams of messages. Dead letters come last: a role may be about to write one. */
export async function* findMessages(
  { nats, installation, log, signal }: Pick<FindDeps, 'nats' | 'installation' | 'log' | 'signal'>,
  whose: Whose,
): AsyncGenerator<FoundMessage> {
  const may = mayName(whose.person)
  const streams: { name: string; kind: StreamKind | undefined }[] = KINDS.flatMap(kind =>
    partsOf(installation, kind).map(({ name }) => ({ name, kind })),
  )
  const letters = [PLACES.deadLetters, bucketStream(PLACES.webhookLetters)].map(name => ({ name, kind: undefined }))
  for (const { name, kind } of [...streams, ...letters])
    for await (const message of readWhole(nats, name, log)) {
      signal?.throwIfAborted()
      const text = message.string()
      // A letter may carry its message in Base64.
      if (kind && !may(text)) continue
      const stripped = kind ? strip(kind, text, whose) : stripLetter(text, whose)
      if (stripped)
        yield { ...stripped, stream: name, seq: message.seq, subject: message.subject, kind, length: text.length }
    }
}

/**
 * Removes what is the person's from all streams of messages, and overwrites its bytes. A message that others share is
 * written again without the person before it is removed: its messages keep their ids, by which readers know them.
 */
export async function cleanStreams(deps: CleanStreamsDeps): Promise<number> {
  const { whose } = deps
  let total = 0
  let wave: FoundMessage[] = []
  let length = 0
  for await (const message of findMessages(deps, whose)) {
    length += message.length
    if (wave.push(message) < WAVE && length < WAVE_LENGTH) continue
    total += await removeAll(deps, wave)
    wave = []
    length = 0
  }
  return total + (await removeAll(deps, wave))
}

/** Resolves to how many entries were removed; they are reported, by stream. */
async function removeAll(deps: CleanStreamsDeps, wave: FoundMessage[]): Promise<number> {
  // One after the other: what is written again stays in its order.
  for (const message of wave) if (message.rest !== undefined) await writeAgain(deps, message, message.rest)
  await forEachAtOnce(AT_ONCE, wave, message => remove(deps, message))
  const counts = new Map<string, number>()
  for (const { stream, entries } of wave) counts.set(stream, (counts.get(stream) ?? 0) + Math.max(1, entries.length))
  for (const [stream, count] of counts) await deps.report(placeOfStream(stream), count)
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}

async function remove({ nats }: CleanStreamsDeps, { stream, seq, rest, kind }: FoundMessage): Promise<void> {
  await nats.manager.streams.deleteMessage(stream, seq, true).catch(error => {
    // A letter that was written again took the place of the one before it.
    if (rest === undefined || kind) throw error
  })
}

async function writeAgain(deps: CleanStreamsDeps, message: FoundMessage, rest: string): Promise<void> {
  const { nats } = deps
  const { kind, stream, seq, subject } = message
  if (!kind) return void (await nats.js.publish(subject, rest))
  const options = { msgID: `without:${stream}:${seq}:${deps.whose.before}` }
  if (kind !== 'rejected') return void (await nats.js.publish(subject, rest, options))
  // Rejected messages have no key that a second row would be known by.
  await untilLoaded(deps, kind, message)
  const loaded = headers()
  loaded.set(LOADED_HEADER, '1')
  await nats.js.publish(subject, rest, { ...options, headers: loaded })
}

/** @throws when the loader isn't there yet: the step is begun again */
async function untilLoaded({ installation }: CleanStreamsDeps, kind: StreamKind, message: FoundMessage): Promise<void> {
  const part = partsOf(installation, kind).find(({ name }) => name === message.stream)!
  const position = await positionKeeper(installation.buckets.positions, message.stream).load()
  const through = completeThrough(position, part.base)
  const offset = position?.offset ?? part.base
  if (through === undefined || through < message.seq + offset)
    throw new Error(`message ${message.seq} of ${message.stream} is not in ClickHouse yet`)
}

function partsOf({ past, streams }: Installation, kind: StreamKind): StreamPart[] {
  return [...past[kind], ...streams[kind]]
}
