import type { KV } from '@nats-io/kv'
import { SEGMENT_SIGNALS, type SignalEnvelope } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { watchSites } from '../../watch-sites.js'

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
  const watching = await watchSites(
    nats,
    sites,
    (siteId, site) => {
      const signals = site?.signals
      if (Array.isArray(signals)) chosen.set(siteId, signals)
      else chosen.delete(siteId)
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
