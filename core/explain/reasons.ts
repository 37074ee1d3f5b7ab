import type { ExclusionReason } from '@slotstream/protocol'
import { capDetail } from '../catalog/eligible.js'

/** Words for a content that could not be shown, where the record has only the reason. */
const DETAILS: Record<ExclusionReason, string> = {
  not_started: 'it has not begun',
  ended: 'it has ended',
  out_of_stock: 'it is out of stock',
  broken_condition: 'its condition cannot be read',
  condition: 'its condition does not hold',
  stopped: 'what the visitor did has ended it',
  capped: 'it was shown as often as it may be',
  repeated: 'an earlier slot of the page shows it',
}

/** Writes in plain words why a content could not be shown. */
export function plainDetail(reason: string, detail?: string): string {
  if (detail === undefined) return (DETAILS as Partial<Record<string, string>>)[reason] ?? reason
  // Of before 0.2.0, which wrote `per`.
  const [, times, per] = /^(\d+ of \d+) per (.+)$/.exec(detail) ?? []
  return reason === 'capped' && times && per ? capDetail(times, per) : detail
}

/** Writes the same within a sentence. */
export function excludedWords({ reason, detail }: { reason: string; detail: string }): string {
  return reason === 'capped' && /^\d/.test(detail) ? `capped ${detail}` : detail
}
