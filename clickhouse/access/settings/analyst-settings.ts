import { ClickHouseException } from '../../errors.js'
import type { Role } from '../roles.js'
import { IGNORED } from './ignored.js'
import { type AnalystLimits, boundedLimit, LIMITS } from './limits.js'
import { boundedByRule, isKnownSetting, settableNames } from './rules.js'

/**
 * Settings that builders cannot change: their tables are on the disk, temporary ones too, and leave a tenth of it free.
 */
const IMPOSED_ON_BUILDERS: readonly (readonly [name: string, value: string])[] = [
  ['min_free_disk_ratio_to_perform_insert', '0.1'],
  ['default_temporary_table_engine', 'MergeTree'],
  ['create_table_empty_primary_key_by_default', '1'],
]

/**
 * Checks one setting of a client that isn't trusted, in a request, a session or a `SETTINGS` clause.
 *
 * @returns the value to set, within its bounds; undefined where the setting is taken and left out
 * @throws ClickHouseException READONLY (164) for a setting that isn't on the list, CANNOT_PARSE_NUMBER (72) or
 * BAD_ARGUMENTS (36) for a value that it doesn't take
 */
export function boundedSetting(
  name: string,
  value: string,
  limits: AnalystLimits,
  role: Role = 'analyst',
): string | undefined {
  const limit = LIMITS.find(each => each === name)
  if (limit) return String(boundedLimit(limit, value, limits))
  const bounded = boundedByRule(name, value, role)
  if (bounded !== undefined) return bounded
  // The first two lock what is locked already.
  const isLock = name === 'readonly' && (value === '1' || value === '2')
  if (isLock || isKnownSetting(name) || IGNORED.test(name)) return undefined
  throw new ClickHouseException(
    164,
    'READONLY',
    `Cannot modify '${name}' setting: it isn't one of those that users without full rights may set`,
  )
}

/**
 * Returns the names that `boundedSetting` takes of a role, and a pattern of more in the engine's syntax of regular
 * expressions.
 */
export function takenSettings(role: Role): { names: string[]; pattern: string } {
  return { names: [...LIMITS, ...settableNames(role)], pattern: IGNORED.source }
}

/**
 * Returns the settings of a query of a client that isn't trusted: the allowed ones, with the limits applied.
 *
 * @throws ClickHouseException as boundedSetting
 */
export function analystSettings(
  requested: ReadonlyArray<readonly [name: string, value: string]>,
  limits: AnalystLimits,
  role: Role = 'analyst',
): [name: string, value: string][] {
  const all = new Map<string, string>()
  for (const [name, value] of requested) {
    const bounded = boundedSetting(name, value, limits, role)
    if (bounded !== undefined) all.set(name, bounded)
  }
  for (const name of LIMITS) if (!all.has(name)) all.set(name, String(limits[name]))
  for (const [name, value] of role === 'builder' ? IMPOSED_ON_BUILDERS : []) all.set(name, value)
  return [...all]
}
