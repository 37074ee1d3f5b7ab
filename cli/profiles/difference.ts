import { isDeepStrictEqual } from 'node:util'

/** Longest value that a line repeats, in characters. */
const LONGEST = 80

type Item = { name: string }

/**
 * Tells what is other in a set: one line for each definition that is new (`+`), changed (`~`, with the fields), or gone
 * (`-`).
 */
export function differenceOf(kind: string, before: readonly Item[], after: readonly Item[]): string[] {
  const [old, now] = [byName(before), byName(after)]
  return [
    ...after.filter(({ name }) => !old.has(name)).map(({ name }) => `+ ${kind} ${name}`),
    ...after.flatMap(item => {
      const changes = changesOf(old.get(item.name), item)
      return changes.length > 0 ? [`~ ${kind} ${item.name}: ${changes.join(', ')}`] : []
    }),
    ...before.filter(({ name }) => !now.has(name)).map(({ name }) => `- ${kind} ${name}`),
  ]
}

function changesOf(before: Item | undefined, after: Item): string[] {
  if (before === undefined) return []
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter(field => !isDeepStrictEqual(old.get(field), now.get(field)))
    .map(field => `${field} ${shown(old.get(field))} → ${shown(now.get(field))}`)
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}

function byName(items: readonly Item[]): Map<string, Item> {
  return new Map(items.map(item => [item.name, item]))
}
