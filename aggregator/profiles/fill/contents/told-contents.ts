import { noMessages, takeMessage } from '@slotstream/core'
import {
  type ContentFill,
  isInFill,
  isOfFill,
  parseLearningEnvelope,
  parseStored,
  stores,
  streamSubject,
} from '@slotstream/protocol'
import { type Installation, type Log, type Nats, readWhole } from '@slotstream/runtime'

/** Messages whose part in features of content was told as they came, by site and version: their sequences. */
export type ToldContents = ReadonlyMap<string, ReadonlySet<number>>

/** Returns the key of a feature among those of all sites. */
export const toldKey = (siteId: string, version: string): string => `${siteId}\0${version}`

/** Dependencies of reading. */
interface ReadToldDeps {
  nats: Nats
  installation: Pick<Installation, 'past' | 'streams'>
  log: Log
  /** Throws where it is to end. */
  goOn: () => void
}

/**
 * Reads which messages of a partition the streams of learning records tell of, as readers of these take them: what was
 * published again after a crash does not count.
 *
 * @param fills of each feature's key the fill whose messages are meant
 */
export async function readTold(
  { nats, installation, log, goOn }: ReadToldDeps,
  partition: number,
  fills: ReadonlyMap<string, ContentFill>,
): Promise<ToldContents> {
  const toldSeqs = new Map([...fills.keys()].map(key => [key, new Set<number>()]))
  const seenMessages = noMessages()
  const subject = streamSubject('learning', partition)
  const past = installation.past.learning.filter(({ gone }) => !gone)
  const parts = [...past, ...installation.streams.learning].filter(part => stores(part, partition))
  for (const part of parts) {
    const isCurrent = installation.streams.learning.some(({ name }) => name === part.name)
    // nats-server rejects a filter by a subject that the stream no longer takes.
    for await (const message of readWhole(nats, part.name, log, isCurrent ? { subject } : {})) {
      goOn()
      if (message.subject !== subject) continue
      const parsed = parseStored(message.data, parseLearningEnvelope)
      if (!parsed.ok) continue
      const { siteId, seq, stored, removal, batch, contents = [] } = parsed.value
      if (removal !== undefined || isOfFill(parsed.value)) continue
      if (batch === undefined && !takeMessage(seenMessages, seq, stored)) continue
      for (const { amounts } of contents)
        for (const [version] of amounts) {
          const key = toldKey(siteId, version)
          const fill = fills.get(key)
          if (fill && isInFill(fill, seq)) toldSeqs.get(key)!.add(seq)
        }
    }
  }
  return toldSeqs
}
