import { type CheckResult, chancesOfDraw, createDrawAudit, type DrawAudit, parseDraw } from '@slotstream/core'
import { createSlices } from '@slotstream/runtime'
import { auditedDraws } from './read-draws.js'

/** A recorded draw as text, and the version of the policy that made it. */
export interface DrawText {
  version: string
  draw: string
}

/** The bounds of draws for one answer: bytes of text that are in memory at a time, and chances that are computed. */
export interface DrawBudget {
  bytes: number
  chances: number
}

/** Some seconds of work, and no more memory than other results take. */
export const DRAW_BUDGET: DrawBudget = { bytes: 64 * 1024 * 1024, chances: 100_000_000 }

/** Draws of a period, in the order in which they were made. */
export interface TakenDraws {
  draws: DrawText[]
  /** True if there were more of them than the budget has room for: the earliest are left out. */
  isCut: boolean
}

/**
 * Takes draws as far as the budget goes, and leaves the rest unread.
 *
 * @param rows the latest first
 */
export async function takeDraws(rows: AsyncIterable<DrawText>, budget = DRAW_BUDGET): Promise<TakenDraws> {
  const draws: DrawText[] = []
  const pauseIfLong = createSlices()
  let { bytes, chances } = budget
  for await (const row of rows) {
    await pauseIfLong()
    bytes -= Buffer.byteLength(row.draw) + Buffer.byteLength(row.version)
    if (bytes < 0) return { draws: draws.reverse(), isCut: true }
    const draw = parseDraw(row.draw)
    // What is no draw takes no more than reading it.
    chances -= draw ? chancesOfDraw(draw) : row.draw.length
    if (chances < 0) return { draws: draws.reverse(), isCut: true }
    draws.push(row)
  }
  return { draws: draws.reverse(), isCut: false }
}

/** Audits the draws of each policy version, and returns the worst. */
export async function auditDraws(draws: readonly DrawText[]): Promise<CheckResult> {
  const audits = new Map<string, DrawAudit>()
  const pauseIfLong = createSlices()
  for (const { version, draw } of draws) {
    await pauseIfLong()
    const audit = audits.get(version) ?? createDrawAudit()
    audits.set(version, audit)
    for (const audited of auditedDraws(draw)) audit.note(audited)
  }
  let worst: CheckResult = { ok: true, e: 1 }
  for (const audit of audits.values()) {
    const { ok, e } = audit.now()
    if (e > worst.e) worst = { ok, e }
  }
  return worst
}
