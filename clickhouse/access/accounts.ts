import type { Role } from './roles.js'
import type { AnalystLimits } from './settings/limits.js'

export type { Role } from './roles.js'

/** Limits of one account, per query and for all its queries together. */
export interface AccountLimits extends AnalystLimits {
  /** Queries that run at a time; more wait. */
  max_concurrent_queries: number
}

/** The sender of a request, and what the account may do. */
export interface Account {
  name: string
  role: Role
  /** Databases that a builder may create, fill, change and drop. */
  databases: readonly string[]
  limits: AccountLimits
}

/** Name of the read-write user. */
export const WRITER = 'slotstream'

/** Name of the read-only user that needs no password on the machine itself. */
export const NAMELESS = 'default'
