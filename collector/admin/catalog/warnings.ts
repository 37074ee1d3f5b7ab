import { takerOf } from '@slotstream/core'
import { type Content, type Slot, shownFaults } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { armsWithoutContent, type ReadExperiments } from './slots-in-use.js'
import type { Target } from './store/changes.js'
import { type CatalogState, usableOf, withTargets } from './store/state.js'

/**
 * Tells in a line each what of a change is probably not meant, though it may be: contents that a slot lists and that
 * there are not, slots whose `candidates` no content meets, contents that no slot takes or that name one which there is
 * not, and those that are taken away though arms of running experiments list them.
 *
 * @param before the catalog as it is
 */
export async function warningsOf(
  experiments: ReadExperiments,
  siteId: string,
  before: CatalogState,
  targets: readonly Target[],
): Promise<string[]> {
  const state = withTargets(before, targets)
  const put = <T>(wantedKind: Target['kind']) =>
    targets.flatMap(({ kind, after }) => (kind === wantedKind && after ? [after as T] : []))
  const [slots, contents] = [put<Slot>('slot'), put<Content>('content')]
  const lines = shownFaults([
    ...(await missingContent(slots, state)),
    ...(await withoutCandidates(slots, state)),
    ...(await withoutSlots(contents, state)),
    ...(await namingNoSlot(contents, targets, state)),
  ])
  return [...lines, ...(await armsWithoutContent(experiments, siteId, targets))]
}

/** Returns the field of an answer that has warnings; none where there are none. */
export function warningsField(warnings: readonly string[]): { warnings?: readonly string[] } {
  return warnings.length > 0 ? { warnings } : {}
}

async function missingContent(slots: readonly Slot[], state: CatalogState): Promise<string[]> {
  const listing = slots.filter(slot => listedContent(slot).length > 0)
  if (listing.length === 0) return []
  const contentIds = new Set(await state.ids('content'))
  return listing.flatMap(slot => {
    const missing = [...new Set(listedContent(slot))].filter(id => !contentIds.has(id))
    return missing.map(id => `slot ${slot.id} lists content ${JSON.stringify(id)}, which there is not`)
  })
}

async function withoutCandidates(slots: readonly Slot[], state: CatalogState): Promise<string[]> {
  const asking = slots.filter(({ candidates }) => candidates)
  if (asking.length === 0) return []
  const contents = await usableOf<Content>(state, 'content')
  const pauseIfLong = createSlices()
  const lines: string[] = []
  for (const { id, candidates } of asking) {
    const meets = takerOf({ id: '', candidates: candidates! })
    let place = 0
    for (; place < contents.length && !meets(contents[place]!); place++) await pauseIfLong()
    if (place === contents.length) lines.push(`slot ${id}: no content meets its candidates`)
  }
  return lines
}

async function withoutSlots(contents: readonly Content[], state: CatalogState): Promise<string[]> {
  const unnamed = contents.filter(({ slots }) => slots.length === 0)
  if (unnamed.length === 0) return []
  const takers = (await usableOf<Slot>(state, 'slot')).filter(({ candidates }) => candidates).map(takerOf)
  const pauseIfLong = createSlices()
  const lines: string[] = []
  for (const content of unnamed) {
    await pauseIfLong()
    if (!takers.some(takes => takes(content))) lines.push(`content ${content.id}: no slot takes it`)
  }
  return lines
}

/** Lists names of slots that there are not, in contents that are put, and of slots that are removed in all contents. */
async function namingNoSlot(put: readonly Content[], targets: readonly Target[], state: CatalogState) {
  const removed = new Set(targets.flatMap(({ kind, id, after }) => (kind === 'slot' && !after ? [id] : [])))
  if (put.length + removed.size === 0) return []
  const slotIds = new Set(await state.ids('slot'))
  const isPut = new Set(put.map(({ id }) => id))
  const others = removed.size > 0 ? await usableOf<Content>(state, 'content') : []
  const line = (id: string, slotId: string) => `content ${id} names slot ${JSON.stringify(slotId)}, which there is not`
  return [
    ...put.flatMap(({ id, slots }) => slots.filter(slotId => !slotIds.has(slotId)).map(slotId => line(id, slotId))),
    ...others.flatMap(({ id, slots }) =>
      isPut.has(id) ? [] : slots.filter(slotId => removed.has(slotId)).map(slotId => line(id, slotId)),
    ),
  ]
}

function listedContent({ policy, campaigns = [] }: Slot): string[] {
  return [...listedByPolicy(policy), ...campaigns.flatMap(({ contentIds }) => contentIds)]
}

function listedByPolicy(policy: Slot['policy']): string[] {
  if (policy?.type === 'fixed') return policy.contentIds
  return policy?.type === 'ensemble' ? policy.policies.flatMap(entry => listedByPolicy(entry.policy)) : []
}
