import {
  type CatalogCheck,
  type Content,
  isObject,
  leftOverNames,
  shownFaults,
  strictContent,
  strictSlot,
} from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import type { CheckMeaning } from './check-meaning.js'
import type { CatalogItem, CatalogKind, Target } from './store/changes.js'
import { keyOf } from './store/changes.js'
import { type CatalogState, usableOf, withTargets } from './store/state.js'

/** Slots and contents as a body has them. */
export interface PutItems {
  slots: readonly unknown[]
  content: readonly unknown[]
  /** Whether what the body does not have is to be gone. */
  isWhole: boolean
}

/** Names of the lists that hold the kinds, in bodies and answers. */
const LISTS: Record<CatalogKind, 'slots' | 'content'> = { slot: 'slots', content: 'content' }

/**
 * Returns what a body makes of a catalog.
 *
 * @param labelOf returns what stands before a fault of an item
 * @throws Failure `malformed` with a line for each fault
 */
export async function targetsOf(
  siteId: string,
  items: PutItems,
  state: CatalogState,
  checkMeaning: CheckMeaning,
  labelOf: (kind: CatalogKind, index: number) => string = (kind, index) => `${LISTS[kind]}[${index}]: `,
): Promise<Target[]> {
  const problems: string[] = []
  const labels = new Map<string, string>()
  const pauseIfLong = createSlices()

  const checkAll = async (kind: CatalogKind, check: (raw: unknown) => CatalogCheck<CatalogItem>) => {
    const targets: Target[] = []
    for (const [index, raw] of items[LISTS[kind]].entries()) {
      await pauseIfLong()
      const label = labelOf(kind, index)
      const checked = check(raw)
      if (!checked.ok) problems.push(...checked.faults.map(fault => `${label}${fault}`))
      if (!checked.ok) continue
      const target: Target = { kind, id: checked.value.id, after: checked.value }
      const first = labels.get(keyOf(target))
      if (first !== undefined) problems.push(`${label}id is the one of ${first.replace(/: $/, '')}, too`)
      labels.set(keyOf(target), label)
      targets.push(target)
    }
    return targets
  }

  const slots = await checkAll('slot', strictSlot)
  const before = new Set(await state.ids('slot'))
  const slotIds = new Set(items.isWhole ? [] : before)
  for (const { id } of slots) slotIds.add(id)
  const stored = namesOthers(items.content, slotIds) ? await usableOf<Content>(state, 'content') : []
  const isLeftOver = leftOverNames(stored, before)
  const content = await checkAll('content', raw => strictContent(raw, slotIds, isLeftOver))
  refuse(problems)
  const targets = [...slots, ...content, ...(items.isWhole ? await goneOf(state, labels) : [])]
  await refuseUnmeant(siteId, state, targets, checkMeaning, target => labels.get(keyOf(target)) ?? '')
  return targets
}

/** Tells whether any content names a slot that is not among these. */
function namesOthers(content: readonly unknown[], slotIds: ReadonlySet<unknown>): boolean {
  return content.some(raw => isObject(raw) && Array.isArray(raw.slots) && raw.slots.some(id => !slotIds.has(id)))
}

/** @throws Failure `malformed` with a line for each fault of what items mean */
export async function refuseUnmeant(
  siteId: string,
  state: CatalogState,
  targets: readonly Target[],
  checkMeaning: CheckMeaning,
  labelOf: (target: Target) => string = ({ kind, id }) => `${kind} ${id}: `,
): Promise<void> {
  const faults = await checkMeaning(siteId, withTargets(state, targets), targets)
  refuse(faults.map(({ target, line }) => `${labelOf(target)}${line}`))
}

async function goneOf(state: CatalogState, put: ReadonlyMap<string, unknown>): Promise<Target[]> {
  const kinds: CatalogKind[] = ['slot', 'content']
  const stored = await Promise.all(kinds.map(async kind => (await state.ids(kind)).map(id => ({ kind, id }))))
  return stored.flat().filter(target => !put.has(keyOf(target)))
}

function refuse(problems: string[]): void {
  if (problems.length > 0) throw new Failure('malformed', `nothing was stored: ${problems[0]}`, shownFaults(problems))
}
