import type { NumberSetting, Program, TextSetting } from './setting.js'
import { type NumberName, type NumberValue, SETTINGS, type TextName, type TextValue } from './table/table.js'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A setting that can't be used. The message names the variable, what it held and what it takes. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly code = 'configuration'
}

/** Reads a text. Unset or empty it is the default of the table, undefined when there is none. */
export function textSetting<Name extends TextName>(
  name: Name,
  env: Environment = process.env,
  program?: Program,
): TextValue<Name> {
  const row: TextSetting = SETTINGS[name]
  return (env[name] || (program && row.in?.[program]?.default) || row.default) as TextValue<Name>
}

/**
 * Reads a whole number. Unset or empty it is the default of the table, undefined when there is none.
 *
 * @throws ConfigurationError when it is none, or beyond the bounds of the table
 */
export function numberSetting<Name extends NumberName>(
  name: Name,
  env: Environment = process.env,
  program?: Program,
): NumberValue<Name> {
  const table: NumberSetting = SETTINGS[name]
  const {
    min = 0,
    max = Number.MAX_SAFE_INTEGER,
    default: fallback,
  } = { ...table, ...(program && table.in?.[program]) }
  const text = env[name]
  if (!text) return fallback as NumberValue<Name>
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new ConfigurationError(`${name} is "${text}": it must be a whole number from ${min} to ${max}`)
  return value
}

/** Reads a text that must be set. `why` completes "NAME must be set: …". Throws ConfigurationError. */
export function neededSetting(name: TextName, why: string, env: Environment = process.env): string {
  const value = env[name]
  if (!value) throw new ConfigurationError(`${name} must be set: ${why}`)
  return value
}

/** Tells whether a setting is set, to whatever. */
export function isSet(name: keyof typeof SETTINGS, env: Environment = process.env): boolean {
  return Boolean(env[name])
}
