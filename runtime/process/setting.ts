/** A setting that can't be used. The message names the variable, what it held and what it takes. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly code = 'configuration'
}

/** Text of an environment variable; `fallback` when it is unset or empty. */
export function textSetting(name: string, fallback: string, env: NodeJS.ProcessEnv = process.env): string {
  return env[name] || fallback
}

/** Whole number of an environment variable. Throws ConfigurationError when it isn't one from `min` to `max`. */
export function numberSetting(
  name: string,
  fallback: number,
  {
    min = 0,
    max = Number.MAX_SAFE_INTEGER,
    env = process.env,
  }: { min?: number; max?: number; env?: NodeJS.ProcessEnv } = {},
): number {
  const text = env[name]
  if (!text) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new ConfigurationError(`${name} is "${text}": it must be a whole number from ${min} to ${max}`)
  return value
}

/** Text of an environment variable that must be set. `why` completes "NAME must be set: …". */
export function neededSetting(name: string, why: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = env[name]
  if (!value) throw new ConfigurationError(`${name} must be set: ${why}`)
  return value
}
