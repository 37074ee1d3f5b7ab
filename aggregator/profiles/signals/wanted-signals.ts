import type { KV } from '@nats-io/kv'
import { parseSite, SEGMENT_SIGNALS, type SignalEnvelope } from '@slotstream/protocol'
import { type Log, type Nats, usableValue, watchBucket } from '@slotstream/runtime'

/** The signals that each site wants. */
export interface WantedSignals {
  /**
   * Returns the envelope without what its site does not want; undefined when nothing is left. Signals of segments are
   * wanted by declaring the segments.
   */
  select(envelope: SignalEnvelope): SignalEnvelope | undefined
  stop(): void
}

const ALWAYS: ReadonlySet<string> = new Set(SEGMENT_SIGNALS)

/** Watches which signals the sites want. Resolves when the present sites are known. */
export async function watchWantedSignals(nats: Nats, sites: KV, log: Log): Promise<WantedSignals> {
  const chosen = new Map<string, readonly string[]>()
  const watching = await watchBucket(
    nats,
    sites,
    entry => {
      const site = entry.operation === 'PUT' ? usableValue('sites', entry, parseSite, log) : undefined
      if (entry.operation === 'PUT' && !site) return
      const signals = site?.signals
      if (Array.isArray(signals)) chosen.set(entry.key, signals)
      else chosen.delete(entry.key)
    },
    log,
  )
  return {
    select(envelope) {
      const names = chosen.get(envelope.siteId)
      if (!names) return envelope
      const signals = envelope.signals.filter(({ signal }) => names.includes(signal) || ALWAYS.has(signal))
      return signals.length > 0 ? { ...envelope, signals } : undefined
    },
    stop: () => watching.stop(),
  }
}
