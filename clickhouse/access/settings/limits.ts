/** Limits of a query. An account may ask for less, never for more. */
export interface AnalystLimits {
  /** Seconds. */
  max_execution_time: number
  /** Bytes. */
  max_memory_usage: number
  max_result_rows: number
  /** Bytes. */
  max_result_bytes: number
  /** Bytes that sorting and grouping may write to disk where they don't fit into memory. */
  max_temporary_data_on_disk_size_for_query: number
}

export const DEFAULT_ANALYST_LIMITS: AnalystLimits = {
  max_execution_time: 60,
  max_memory_usage: 4_000_000_000,
  max_result_rows: 100_000_000,
  max_result_bytes: 10_000_000_000,
  max_temporary_data_on_disk_size_for_query: 10_000_000_000,
}

/** Names of the limits. */
export const LIMITS = Object.keys(DEFAULT_ANALYST_LIMITS) as (keyof AnalystLimits)[]

/** Returns what is asked for where it is less than the limit, else the limit: 0 means "no limit" to ClickHouse. */
export function boundedLimit(name: keyof AnalystLimits, value: string, limits: AnalystLimits): number {
  const seconds = name === 'max_execution_time'
  const requested = (seconds ? /^\d{1,9}(?:\.\d{1,3})?$/ : /^\d{1,15}$/).test(value) ? Number(value) : 0
  return requested > 0 ? Math.min(limits[name], requested) : limits[name]
}
