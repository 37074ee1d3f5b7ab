import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { repairDefinitions } from '@slotstream/core'
import {
  byteLength,
  checkDefinitionForm,
  DEFINITION_KINDS,
  type DefinitionKind,
  type DefinitionSet,
  type Definitions,
  MAX_DEFINITION_BYTES,
  MAX_DEFINITIONS,
} from '@slotstream/protocol'
import { pause } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import type { DefinitionStore } from './definition-store.js'

/** How often a change is tried again because another one was quicker, and the longest pause before, in milliseconds. */
const TRIES = 20
const PAUSE_MS = 50

/**
 * Checks what a set means, beside its form, among the site's other sets.
 *
 * @returns one line for each fault, naming the field by its path
 */
export type CheckDefinitions = (kind: DefinitionKind, definitions: Definitions) => string[]

/** A set as it is stored, and what no longer fits it in the site's other sets: one line each. */
export interface PutDefinitions extends Pick<DefinitionSet, 'revision' | 'items'> {
  warnings: string[]
}

/**
 * Stores a set. One that equals the stored set changes nothing and keeps its revision.
 *
 * @param expected the revision that it takes the place of. Default: whichever there is
 * @throws Failure `malformed` with a line for each fault; `conflict` when the revision is another one
 */
export async function putDefinitions(
  { store, check, builtIn }: { store: DefinitionStore; check: CheckDefinitions; builtIn: readonly { name: string }[] },
  siteId: string,
  kind: DefinitionKind,
  raw: unknown,
  expected?: number,
): Promise<PutDefinitions> {
  const form = checkDefinitionForm(kind, raw)
  if (!form.ok) throw faulty([...form.faults, ...(await conditionFaults({ store, check }, siteId, kind, raw))])
  for (let left = TRIES; left > 0; left--) {
    const stored = await readAll(store, siteId)
    const { [kind]: before } = stored
    if (expected !== undefined && expected !== before.revision) throw changedMeanwhile(kind, before.revision)
    const definitions = { ...itemsOf(stored), [kind]: form.value }
    const faults = check(kind, definitions)
    if (faults.length > 0) throw faulty(faults)
    // Compiling a large set takes tens of milliseconds, for which the messages of visitors wait.
    await nextTurn()
    const warnings = DEFINITION_KINDS.filter(other => other !== kind).flatMap(other => check(other, definitions))
    if (before.revision > 0 && isDeepStrictEqual(before.items, form.value))
      return { revision: before.revision, items: before.items, warnings }
    const next = Math.max(before.revision, ...Object.values(await store.readBuiltIn())) + 1
    const value = { items: form.value, addedIn: addedIn(before, form.value, next, builtIn) }
    const revision = await store.write(siteId, kind, value, before.revision)
    if (revision !== undefined) return { revision, items: form.value, warnings }
    await pause(Math.random() * PAUSE_MS)
  }
  throw changedMeanwhile(kind)
}

/** Lists the faults of the conditions in a set whose form has faults, too: they are told together. */
async function conditionFaults(
  { store, check }: { store: DefinitionStore; check: CheckDefinitions },
  siteId: string,
  kind: DefinitionKind,
  raw: unknown,
): Promise<string[]> {
  if (!Array.isArray(raw) || raw.length > MAX_DEFINITIONS[kind]) return []
  if (byteLength(JSON.stringify(raw)) > MAX_DEFINITION_BYTES) return []
  return check(kind, { ...itemsOf(await readAll(store, siteId)), [kind]: repairDefinitions(kind, raw) })
}

/**
 * Returns by name the least revision that has each definition as it is now, as far as it makes a difference to what it
 * counts: also of built-in ones that the set before took the place of.
 *
 * @param next the least revision that the set can get: later than all that profiles may have begun under
 */
function addedIn(
  before: DefinitionSet,
  items: readonly { name: string }[],
  next: number,
  builtIn: readonly { name: string }[],
): Record<string, number> {
  const existing = new Map(before.items.map(item => [item.name, item]))
  const revisions = items.map(item => {
    const same = existing.get(item.name)
    const isSame = same !== undefined && isDeepStrictEqual(asCounted(same), asCounted(item))
    return [item.name, isSame ? (before.addedIn?.[item.name] ?? before.revision) : next]
  })
  const declared = new Set(items.map(({ name }) => name))
  const again = builtIn.flatMap(({ name }): [string, number][] => {
    const since = existing.has(name) ? next : before.addedIn?.[name]
    return since === undefined || declared.has(name) ? [] : [[name, since]]
  })
  return Object.fromEntries([...revisions, ...again])
}

/** Returns a definition without what makes no difference to what it counts. */
function asCounted(item: object): object {
  return { ...item, description: undefined, public: undefined }
}

type StoredSets = { [Kind in DefinitionKind]: DefinitionSet<Kind> }

async function readAll(store: DefinitionStore, siteId: string): Promise<StoredSets> {
  const [features, patterns, segments] = await Promise.all([
    store.read(siteId, 'features'),
    store.read(siteId, 'patterns'),
    store.read(siteId, 'segments'),
  ])
  return { features, patterns, segments }
}

function itemsOf({ features, patterns, segments }: StoredSets): Definitions {
  return { features: features.items, patterns: patterns.items, segments: segments.items }
}

function faulty(faults: string[]): Failure {
  return new Failure('malformed', `nothing was stored: ${faults[0]}`, faults)
}

function changedMeanwhile(kind: DefinitionKind, revision?: number): Failure {
  const now = revision === undefined ? '' : `: their revision is ${revision}`
  return new Failure('conflict', `the ${kind} were changed meanwhile${now}. Read them again and repeat your change`)
}
