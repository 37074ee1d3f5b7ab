/** Tables whose rows may be deleted after a time, by site. */
export const RETAINED_TABLES = [
  'events',
  'decisions',
  'rejected_events',
  'signals',
  'segment_members',
  'profiles',
] as const

export type RetainedTable = (typeof RETAINED_TABLES)[number]

/**
 * Days that rows are kept, by table; of profiles, days since the visitor was last seen, of segment_members since the
 * person left. A table not named keeps all.
 */
export type Retention = Partial<Record<RetainedTable, number>>

/**
 * Less isn't taken: a message that is sent again up to seven days later is known by its row, and counts twice when
 * that is gone.
 */
export const MIN_RETENTION_DAYS = 8

const MAX_RETENTION_DAYS = 36_500

/** Returns what is wrong with a retention, or undefined. */
export function retentionTrouble(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return 'retention must be an object such as {"events": 400}'
  for (const [table, days] of Object.entries(raw)) {
    if (!RETAINED_TABLES.includes(table as RetainedTable))
      return `retention.${table} is no table: give ${RETAINED_TABLES.join(', ')}`
    if (!(Number.isInteger(days) && days >= MIN_RETENTION_DAYS && days <= MAX_RETENTION_DAYS))
      return `retention.${table} must be a whole number of days from ${MIN_RETENTION_DAYS} to ${MAX_RETENTION_DAYS}`
  }
  return undefined
}
