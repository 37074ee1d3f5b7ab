import { type CheckResult, createDrawAudit, type DrawAudit } from '@slotstream/core'
import type { SlotAudits } from './audit-state.js'
import { auditedDraws, type DrawRow } from './read-draws.js'

/** Versions of a slot's policy that are kept: those that were drawn by last. */
const MOST_VERSIONS = 8

/** The audits of one slot, while draws are added to them. */
export interface SlotAuditing {
  /** Adds the draws of a record, once: those up to its position may have been added before. */
  note(row: DrawRow, base: number): void
  /** Ends a block of a stream: what comes next is after `position`. */
  end(base: number, position: number, now: number): SlotAudits
  /**
   * Returns the versions whose draws do not fit their chances, with the content that was drawn too often or too seldom.
   */
  faults(): { version: string; e: number; draws: number }[]
}

/** Goes on with the audits of a slot, or begins them. */
export function goOn(before: Pick<SlotAudits, 'siteId' | 'slotId'> & Partial<SlotAudits>): SlotAuditing {
  const { siteId, slotId, through = {}, versions = [] } = before
  const audits = new Map<string, DrawAudit>(
    versions.map(({ version, state }) => [version, createDrawAudit(undefined, state)]),
  )
  const positions = { ...through }

  return {
    note({ version, draw, position }, base) {
      if (position <= (through[base] ?? -1)) return
      const audit = audits.get(version) ?? createDrawAudit()
      // The latest one is the last one.
      audits.delete(version)
      audits.set(version, audit)
      for (const audited of auditedDraws(draw)) audit.note(audited)
    },
    end(base, position, now) {
      positions[base] = Math.max(position, positions[base] ?? 0)
      const latest = [...audits].slice(-MOST_VERSIONS)
      return {
        siteId,
        slotId,
        at: now,
        through: positions,
        versions: latest.map(([version, audit]) => ({ version, state: audit.state() })),
      }
    },
    faults: () =>
      [...audits].flatMap(([version, audit]) => {
        const { ok, e, draws } = audit.now()
        return ok ? [] : [{ version, e, draws }]
      }),
  }
}

/** Returns the worst of some versions' audits. Undefined: none of them was audited */
export function worstOf(audits: SlotAudits | undefined, versions: ReadonlySet<string>): CheckResult | undefined {
  let worst: CheckResult | undefined
  for (const { version, state } of audits?.versions ?? []) {
    if (!versions.has(version)) continue
    const { ok, e } = createDrawAudit(undefined, state).now()
    if (!worst || e > worst.e) worst = { ok, e }
  }
  return worst
}
