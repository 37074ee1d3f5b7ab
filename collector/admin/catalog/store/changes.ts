import { isDeepStrictEqual } from 'node:util'
import { type Content, isAbsentOr, isId, isObject, parseJson, type Slot } from '@slotstream/protocol'

export type CatalogKind = 'slot' | 'content'

/** A slot or a content. */
export type CatalogItem = Slot | Content

/** A slot or a content as it is to be. */
export interface Target {
  kind: CatalogKind
  id: string
  /** Undefined: it is to be gone. */
  after?: CatalogItem
}

/** A slot or a content that a revision has other than the one before. */
export interface Change extends Target {
  /** Undefined: there was none. */
  before?: CatalogItem
}

/** Most lines by which a revision tells what it changed. */
const MAX_LINES = 20

/** Returns the changes that there are: those whose item is to be another one. */
export function realChanges(changes: readonly Change[]): Change[] {
  return changes.filter(({ before, after }) => !isDeepStrictEqual(before, after))
}

/** Joins changes with later ones, which take the place of those of the same items. */
export function joinChanges(first: readonly Change[], later: readonly Change[]): Change[] {
  return realChanges([...new Map([...first, ...later].map(change => [keyOf(change), change])).values()])
}

/**
 * Returns what undoes revisions.
 *
 * @param revisions the changes of each, the latest revision first
 */
export function undoOf(revisions: readonly (readonly Change[])[]): Target[] {
  const targets = new Map<string, Target>()
  for (const changes of revisions)
    for (const { kind, id, before } of changes) targets.set(keyOf({ kind, id }), { kind, id, after: before })
  return [...targets.values()]
}

/** How many items changes add, change and remove. */
export interface ChangeCounts {
  added: number
  changed: number
  removed: number
}

/** Counts changes. */
export function countsOf(changes: readonly Change[]): ChangeCounts {
  const counts = { added: 0, changed: 0, removed: 0 }
  for (const { before, after } of changes)
    counts[before === undefined ? 'added' : after === undefined ? 'removed' : 'changed']++
  return counts
}

/** Counts changes, and tells the first of them in a line each. */
export function summaryOf(changes: readonly Change[]): ChangeCounts & { changes: string[] } {
  const lines = changes.slice(0, MAX_LINES).map(lineOf)
  if (changes.length > MAX_LINES) lines.push(`and ${changes.length - MAX_LINES} more`)
  return { ...countsOf(changes), changes: lines }
}

function lineOf({ kind, id, before, after }: Change): string {
  const name = `${kind} ${id}`
  if (before === undefined) return `+ ${name}`
  if (after === undefined) return `- ${name}`
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof CatalogItem)[]
  return `~ ${name}: ${fields.filter(field => !isDeepStrictEqual(before[field], after[field])).join(', ')}`
}

/** Returns a text that tells an item from all others. */
export function keyOf({ kind, id }: Pick<Target, 'kind' | 'id'>): string {
  return `${kind} ${id}`
}

/** Parses changes as a value has them; undefined where it has none. */
export function parseChanges(text: string | undefined): Change[] | undefined {
  const raw = text === undefined ? undefined : parseJson(text)
  return Array.isArray(raw) && raw.every(isChange) ? raw : undefined
}

function isChange(raw: unknown): raw is Change {
  if (!isObject(raw)) return false
  const { kind, id, before, after } = raw
  return (
    (kind === 'slot' || kind === 'content') && isId(id) && isAbsentOr(before, isObject) && isAbsentOr(after, isObject)
  )
}
