import type { DrawAuditState } from '@slotstream/core'
import { type Check, isCount, isObject } from '@slotstream/protocol'

/** The audits of a slot's draws, as they are stored: one for each version of its policy. */
export interface SlotAudits {
  siteId: string
  slotId: string
  /** Time when something was drawn last, in milliseconds since the epoch. */
  at: number
  /** Position up to which draws are counted, by base of the stream of decisions. */
  through: Record<string, number>
  /** The one that was drawn by last is the last one. */
  versions: { version: string; state: DrawAuditState }[]
}

/** Parses the audits of a slot as the bucket `positions` has them. */
export function parseSlotAudits(raw: unknown): Check<SlotAudits> {
  if (!isObject(raw)) return no('audits must be an object')
  const { siteId, slotId, at, through, versions } = raw
  if (typeof siteId !== 'string' || typeof slotId !== 'string') return no('siteId and slotId must be text')
  if (!isCount(at)) return no('at must be a time')
  if (!isPositions(through)) return no('through must have positions')
  if (!Array.isArray(versions) || !versions.every(isVersion)) return no('versions must be a list of audits')
  return { ok: true, value: raw as unknown as SlotAudits }
}

/** Returns whether a value has a position for each of some streams. */
export function isPositions(raw: unknown): raw is Record<string, number> {
  return isObject(raw) && Object.values(raw).every(isCount)
}

function isVersion(raw: unknown): boolean {
  return isObject(raw) && typeof raw.version === 'string' && isState(raw.state)
}

function isState(raw: unknown): raw is DrawAuditState {
  if (!isObject(raw)) return false
  const { accounts, reserve, refills, draws, most, isImpossible } = raw
  return (
    Array.isArray(accounts) &&
    accounts.every(isAccount) &&
    isAmount(reserve) &&
    isAmount(most) &&
    isCount(refills) &&
    isCount(draws) &&
    typeof isImpossible === 'boolean'
  )
}

function isAccount(raw: unknown): boolean {
  if (!Array.isArray(raw)) return false
  const [place, capital] = raw as unknown[]
  return Number.isInteger(place) && Array.isArray(capital) && capital.every(isAmount)
}

function isAmount(raw: unknown): boolean {
  return typeof raw === 'number' && Number.isFinite(raw) && raw >= 0
}

function no(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}
