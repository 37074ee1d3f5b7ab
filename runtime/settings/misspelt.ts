import { editDistance } from '@slotstream/protocol'
import type { Environment } from './read.js'
import { SECRETS_FD } from './secrets.js'
import { SETTINGS } from './table/table.js'

/** Shorter names are too near to those of other programs: `HOSTS`, `PORTS`, `ROLE`. */
const SHORTEST = 8
const LARGEST_DISTANCE = 2
/** So many letters at the beginning are the same. */
const PREFIX = 3

const KNOWN = Object.entries(SETTINGS)
  .filter(([name]) => name !== SECRETS_FD)
  .flatMap(([name, { kind }]) => (kind === 'secret' ? [name, `${name}_FILE`] : [name]))

/**
 * Finds variables that are no settings and look like one, such as `MAX_PROFILE`: begin alike, two letters differ at
 * most.
 */
export function likelyMisspelt(env: Environment): { name: string; meant: string }[] {
  const names = new Set<string>([...KNOWN, SECRETS_FD])
  return Object.keys(env)
    .filter(name => name.length >= SHORTEST - 1 && !names.has(name))
    .flatMap(name => {
      const [nearest] = KNOWN.filter(each => each.length >= SHORTEST && each.startsWith(name.slice(0, PREFIX)))
        .map(meant => ({ name, meant, distance: editDistance(name, meant) }))
        .filter(({ distance }) => distance <= LARGEST_DISTANCE)
        .toSorted((a, b) => a.distance - b.distance)
      return nearest ? [{ name, meant: nearest.meant }] : []
    })
}

/** Tells of variables that look like misspelt settings, one line each. */
export function warnOfMisspelt(warn: (line: string) => void, env: Environment = process.env): void {
  for (const { name, meant } of likelyMisspelt(env)) warn(`${name} is not a setting: is ${meant} meant?`)
}
