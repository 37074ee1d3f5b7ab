import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { type Environment, textSetting } from '../settings/read.js'

/** Tells whether a request's `Host` header names this server. */
export type HostCheck = (host: string | undefined) => boolean

/** Says how a name is allowed, in answers that refuse one. */
export const HOST_ADVICE = 'reach it by an IP address or as localhost, or name the host in ALLOWED_HOSTS'

/**
 * Creates the check against DNS rebinding: a web page whose own name is made to resolve to this machine reaches its
 * ports, but can't change the `Host` its browser sends. IP literals, `localhost` and the machine's own name pass.
 *
 * @param allowed more names, without a port; `.example.com` allows every name under it, `*` every name
 * @param machineName the machine's own name; default: what the system says
 */
export function createHostCheck(allowed: readonly string[] = [], machineName = hostname()): HostCheck {
  const names = new Set(['localhost', machineName, machineName.split('.')[0]!, ...allowed].map(name => plainName(name)))
  const endings = [...names].filter(name => name.startsWith('.'))
  const all = names.has('*')
  names.delete('')
  return host => {
    // HTTP/1.0 sends none, a browser always does.
    if (host === undefined || all) return true
    const name = plainName(host.replace(/:\d{1,5}$/, ''))
    if (isIP(name) !== 0 || (name.startsWith('[') && name.endsWith(']') && isIP(name.slice(1, -1)) === 6)) return true
    return names.has(name) || endings.some(ending => name.length > ending.length && name.endsWith(ending))
  }
}

/** Reads ALLOWED_HOSTS: names with commas between. */
export function allowedHosts(env: Environment): string[] {
  return textSetting('ALLOWED_HOSTS', env)
    .split(',')
    .flatMap(name => name.trim() || [])
}

/** Returns the name in lower case, without the dot of a fully qualified name. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
