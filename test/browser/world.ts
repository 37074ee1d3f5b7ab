import type { StoredMessage } from '@slotstream/protocol'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { type Gateway, type ServedPage, startGateway } from '../support/gateway.js'
import { until } from '../support/until.js'

/** What pages in these tests find on `window`. */
export interface PageWindow extends Window {
  slotstream: { track(event: string, properties?: object): void; flush(): Promise<void>; destroy(): void }
}

/** Write key of the site that these tests write to. */
export const WRITE_KEY = 'shop'

/** The script tag with all of its defaults, loaded before the page's own scripts. */
export const SDK = `<script src="/sdk.js" data-write-key="${WRITE_KEY}"></script>`

/** Makes a page of some HTML in its body. */
export const pageOf = (body: string, headers: Record<string, string> = {}): ServedPage => ({
  html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Page</title></head><body>${body}</body></html>`,
  headers,
})

/**
 * A real broker and a real collector, and origins in front of it that are as many networks, each with its own storage
 * in a browser.
 */
export async function startWorld() {
  const broker = await startBroker()
  const collector = await broker.program()
  await putSite(collector.url, WRITE_KEY, { allowedOrigins: ['*'] })
  const gateways: Gateway[] = []
  let before = 0

  /** Messages of an event, in the order of the stream, as often as they were sent in different batches. */
  /** All messages, in the order of the stream, as often as they were sent in different batches. */
  const everything = async (): Promise<StoredMessage[]> => {
    const envelopes = (await readAll(broker.nats)).slice(before)
    return envelopes.flatMap(({ messages }) => messages)
  }

  const sent = async (event: string): Promise<StoredMessage[]> =>
    (await everything()).filter(message => message.event === event)

  /** The same as they count: each id once. */
  const stored = async (event: string): Promise<StoredMessage[]> => {
    const ids = new Set<string>()
    return (await sent(event)).filter(({ messageId }) => !ids.has(messageId) && ids.add(messageId))
  }

  return {
    everything,
    sent,
    stored,
    /** Leaves out from now on what the stream has now: another try of a test must not find what the first one sent. */
    async forget(): Promise<void> {
      before = (await readAll(broker.nats)).length
    },
    /** A network with a page that has the SDK (`/page`), one that hasn't (`/blank`), and those of a test. */
    async network(pages: Record<string, ServedPage> = {}): Promise<Gateway> {
      const gateway = await startGateway(collector.url, { '/page': pageOf(SDK), '/blank': pageOf(''), ...pages })
      gateways.push(gateway)
      return gateway
    },
    /** Waits until messages with all numbers below a count are stored, and returns them. */
    async arrival(event: string, count: number): Promise<StoredMessage[]> {
      const missing = async () => {
        const numbers = new Set((await stored(event)).map(numberOf))
        return upTo(count).filter(i => !numbers.has(i))
      }
      await until(`numbers of ${event} that are missing`, missing, ({ length }) => length === 0, {
        timeoutMs: 45_000,
        everyMs: 200,
      })
      return stored(event)
    },
    async stop(): Promise<void> {
      for (const gateway of gateways) await gateway.stop()
      await broker.stop()
    },
  }
}

export type World = Awaited<ReturnType<typeof startWorld>>

/** The number that a test gave a message. */
export const numberOf = (message: StoredMessage) => Number((message.properties as { i: number }).i)

/** Numbers from 0. */
export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
