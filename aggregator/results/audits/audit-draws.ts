import type { ClickHouseClient } from '@clickhouse/client'
import { joined } from '@slotstream/protocol'
import { bucketKeys, createSlices, type Installation, type Log, type Metrics } from '@slotstream/runtime'
import type { SlotAudits } from './audit-state.js'
import { createAuditStore } from './audit-store.js'
import { type DrawRow, firstPosition, readDraws } from './read-draws.js'
import { goOn } from './slot-audits.js'

/** Time after which the audits of a slot that nothing was drawn in are removed, in milliseconds. */
const KEPT_MS = 90 * 86_400_000

export interface AuditDeps {
  installation: Pick<Installation, 'streams' | 'past'> & {
    buckets: Pick<Installation['buckets'], 'positions' | 'sites'>
  }
  clickhouse: ClickHouseClient
  metrics: Metrics
  log: Log
  /** The clock, in milliseconds since the epoch. Default: the system's */
  now?: () => number
}

/**
 * Creates what audits the draws of all sites as they are recorded: for each slot and version of its policy one
 * e-process, across models, which is stored and goes on in whichever process looks next. Each look reads what was
 * recorded since the last one.
 */
export function createDrawAudits({ installation, clickhouse, metrics, log, now = Date.now }: AuditDeps) {
  const { streams, past, buckets } = installation
  const store = createAuditStore(buckets.positions, log)
  const audited = metrics.counter('draws_audited_total', 'Recorded decisions whose draws were audited')
  const biased = metrics.gauge(
    'draws_biased',
    'Versions of a slot whose draws do not fit the chances that were recorded',
    ['site', 'slot'],
  )

  /** Adds a block to the audits of its slots, and stores them. */
  async function noteBlock(rows: readonly DrawRow[], base: number, all: Map<string, SlotAudits>): Promise<void> {
    const pauseIfLong = createSlices()
    const touched = new Map<string, ReturnType<typeof goOn>>()
    for (const row of rows) {
      await pauseIfLong()
      const name = joined([row.site, row.slot])
      const auditing = touched.get(name) ?? goOn(all.get(name) ?? { siteId: row.site, slotId: row.slot })
      touched.set(name, auditing)
      auditing.note(row, base)
    }
    for (const [name, auditing] of touched) {
      const reported = new Set(
        goOn(all.get(name) ?? { siteId: '', slotId: '' })
          .faults()
          .map(({ version }) => version),
      )
      const audits = auditing.end(base, rows.at(-1)!.position, now())
      await store.write(audits)
      all.set(name, audits)
      const faults = auditing.faults()
      tell(audits, faults.length)
      for (const { version, e, draws } of faults.filter(fault => !reported.has(fault.version))) {
        const { siteId, slotId } = audits
        log.error(
          { siteId, slotId, policyVersion: version, e, draws },
          'what was drawn does not fit the chances that were recorded: see docs/operating.md, "Audit of draws"',
        )
      }
    }
    audited.inc(rows.length)
  }

  function tell({ siteId: site, slotId: slot }: SlotAudits, faults: number): void {
    biased.set({ site, slot }, faults)
  }

  /** Reads the audits there are, and removes those that are of no use any more. */
  async function readCurrent(isOwner: () => Promise<boolean>): Promise<Map<string, SlotAudits>> {
    const sites = new Set(await bucketKeys(buckets.sites, '>'))
    const all = new Map<string, SlotAudits>()
    for (const audits of await store.readAll()) {
      const { siteId, slotId, at } = audits
      if (sites.has(siteId) && now() - at < KEPT_MS) {
        all.set(joined([siteId, slotId]), audits)
        tell(audits, goOn(audits).faults().length)
      } else if (await isOwner()) {
        await store.remove(audits)
        biased.remove({ site: siteId, slot: slotId })
      }
    }
    return all
  }

  return async function look(signal: AbortSignal, isOwner: () => Promise<boolean>): Promise<void> {
    const all = await readCurrent(isOwner)
    const positions = await store.readPositions()
    for (const { base } of [...past.decisions, ...streams.decisions]) {
      let after = positions[base] ?? (await firstPosition(clickhouse, base, now()))
      while (after !== undefined) {
        signal.throwIfAborted()
        const rows = await readDraws(clickhouse, base, after)
        if (rows.length === 0 || !(await isOwner())) break
        // Audits before the position: what is read once more after a crash is not added twice.
        await noteBlock(rows, base, all)
        after = rows.at(-1)!.position
        positions[base] = after
        await store.writePositions(positions)
      }
    }
  }
}
