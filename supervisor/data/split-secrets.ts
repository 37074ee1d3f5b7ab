/** Words of variables whose values open something. */
const SECRET_NAME = /PASSWORD|PASSWD|SECRET|(^|_)(TOKENS?|CREDS|CREDENTIALS|KEYS?|SEED)(_|$)/i

/** Where a secret is, and not the secret. */
const PLACE_NAME = /_(FILE|DIR|PATH)$/i

/** `scheme://user:password@…`, also where it isn't the first of several, and the same without a scheme. */
const USER_INFO = /\/\/[^/\s@]+@|(^|,)[^/\s@,]*:[^/\s@,]*@/

/** Variables that npm sets, registries' tokens among them, and no setting of ours. */
const OF_NPM = /^npm_/i

/**
 * Takes secrets out of an environment: by the variables' names, and what has a password in a URL. Programs are given
 * those that they need by a pipe, because an environment can be read by whatever runs as the same user, and is passed
 * on.
 */
export function splitSecrets(env: NodeJS.ProcessEnv): { open: NodeJS.ProcessEnv; secrets: Record<string, string> } {
  const open: NodeJS.ProcessEnv = {}
  const secrets: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || OF_NPM.test(name)) continue
    const isSecret = (SECRET_NAME.test(name) && !PLACE_NAME.test(name)) || USER_INFO.test(value)
    if (isSecret) secrets[name] = value
    else open[name] = value
  }
  return { open, secrets }
}

/** Picks variables by name, or by how a name begins, written `NAME_*`. */
export function pick<T extends string | undefined>(
  values: Record<string, T>,
  names: readonly string[],
): Record<string, T> {
  const isNamed = (name: string) =>
    names.some(each => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : each === name))
  return Object.fromEntries(Object.entries(values).filter(([name]) => isNamed(name)))
}
