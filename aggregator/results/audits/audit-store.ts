import type { KV } from '@nats-io/kv'
import { AUDITED_KEY, auditKey, BUCKETS } from '@slotstream/protocol'
import { bucketEntries, type Log, parseEntry, skipEntry } from '@slotstream/runtime'
import { isPositions, parseSlotAudits, type SlotAudits } from './audit-state.js'

/** The audits of draws, in the bucket `positions`. */
export interface AuditStore {
  /** Reads the audits of one slot. */
  read(siteId: string, slotId: string): Promise<SlotAudits | undefined>
  readAll(): Promise<SlotAudits[]>
  write(audits: SlotAudits): Promise<void>
  remove(audits: Pick<SlotAudits, 'siteId' | 'slotId'>): Promise<void>
  /** Reads how far each stream of decisions was audited, by its base. */
  readPositions(): Promise<Record<string, number>>
  writePositions(positions: Record<string, number>): Promise<void>
}

/** Creates the store. What can't be read is logged, and as if it were not there. */
export function createAuditStore(positions: KV, log: Log): AuditStore {
  function usable(entry: Awaited<ReturnType<KV['get']>>): SlotAudits | undefined {
    if (entry?.operation !== 'PUT') return undefined
    const parsed = parseEntry(entry, parseSlotAudits)
    if (parsed.ok) return parsed.value
    skipEntry(log, BUCKETS.positions, { key: entry.key, revision: entry.revision }, parsed.reason)
    return undefined
  }

  return {
    read: async (siteId, slotId) => usable(await positions.get(auditKey(siteId, slotId))),
    async readAll() {
      return (await bucketEntries(positions, auditKey('*', '*'))).flatMap(entry => usable(entry) ?? [])
    },
    async write(audits) {
      await positions.put(auditKey(audits.siteId, audits.slotId), JSON.stringify(audits))
    },
    async remove({ siteId, slotId }) {
      await positions.purge(auditKey(siteId, slotId))
    },
    async readPositions() {
      const entry = await positions.get(AUDITED_KEY)
      if (entry?.operation !== 'PUT') return {}
      const parsed = parseEntry(entry, raw =>
        isPositions(raw) ? { ok: true, value: raw } : { ok: false, reason: 'these are no positions' },
      )
      return parsed.ok ? { ...parsed.value } : {}
    },
    async writePositions(value) {
      await positions.put(AUDITED_KEY, JSON.stringify(value))
    },
  }
}
