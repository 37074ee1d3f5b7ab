import { closeSync, readFileSync } from 'node:fs'
import { ConfigurationError, type Environment } from './read.js'
import type { SecretName } from './table/table.js'

/**
 * Names the file descriptor of the pipe through which a supervisor hands secrets to a program. Unlike the environment,
 * what came through it can't be read in `/proc` or by `ps`, and isn't passed on to programs that are started.
 */
export const SECRETS_FD = 'SECRETS_FD'

let piped: Record<string, string> | undefined

/**
 * Reads a secret: from the supervisor's pipe, else from the file that `<name>_FILE` names, else from the environment.
 *
 * @returns '' when it is set nowhere
 * @throws ConfigurationError when the file can't be read
 */
export function secretSetting(name: SecretName, env: Environment = process.env): string {
  return fromPipe()[name] || fromFile(`${name}_FILE`, env) || env[name] || ''
}

/** Reads a secret that must be set. `why` completes "NAME must be set: …". Throws ConfigurationError. */
export function neededSecret(name: SecretName, why: string, env: Environment = process.env): string {
  const value = secretSetting(name, env)
  if (!value) throw new ConfigurationError(`${name} must be set, or ${name}_FILE with the path of a file: ${why}`)
  return value
}

/** Waits for the supervisor, which writes at once and then closes its end. Once: a pipe can't be read twice. */
function fromPipe(): Record<string, string> {
  if (piped) return piped
  const fd = process.env[SECRETS_FD]
  delete process.env[SECRETS_FD]
  piped = {}
  if (!fd) return piped
  if (!/^[1-9]\d*$/.test(fd))
    throw new ConfigurationError(`${SECRETS_FD} is "${fd}": it is set by npm start, leave it out`)
  try {
    piped = JSON.parse(readFileSync(Number(fd), 'utf8')) as Record<string, string>
    closeSync(Number(fd))
  } catch (error) {
    throw new ConfigurationError(
      `the secrets could not be read from descriptor ${fd} (${(error as Error).message}): ${SECRETS_FD} is set by npm start, leave it out`,
    )
  }
  return piped
}

function fromFile(variable: string, env: Environment): string {
  const file = env[variable]
  if (!file) return ''
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ConfigurationError(`${variable} is "${file}", which can't be read: ${(error as Error).message}`)
  }
}
