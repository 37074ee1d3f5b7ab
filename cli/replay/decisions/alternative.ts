import { stat } from 'node:fs/promises'
import {
  type CompiledSlot,
  compileSlot,
  contentConditionFaults,
  createClauses,
  type SomeCatalog,
  slotConditionFaults,
  slotOfCatalog,
} from '@slotstream/core'
import { checkContent, checkSlot, isObject, type PolicySpec } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { readFolder } from '../../catalog/catalog-folder.js'
import { policyIn, readJson } from '../../json-file.js'
import type { SlotVersion } from './slot-versions.js'

/** The alternative that is compared with the record: another policy for each slot, or another catalog. */
export type Alternative =
  | { policy: PolicySpec | undefined }
  | { slots: SomeCatalog['slots'] | undefined; content: SomeCatalog['content'] | undefined }

/**
 * Reads what `--with` names: `default`; a file with a slot's policy, or a slot with one; a catalog as `GET …/catalog`
 * has it, or a folder of one. What a catalog leaves out, slots or content, stays as it was.
 *
 * @throws CommandError with what is wrong
 */
export async function readAlternative(name: string): Promise<Alternative> {
  if (name === 'default') return { policy: undefined }
  const isFolder = await stat(name).then(
    stats => stats.isDirectory(),
    () => false,
  )
  const raw = isFolder ? await readFolder(name) : await readJson(name)
  if (!isObject(raw) || !(Array.isArray(raw.slots) || Array.isArray(raw.content)))
    return { policy: policyIn(raw, name) }
  // A content names its slots, too, but has no lists of others.
  if (typeof raw.id === 'string') return { policy: policyIn(raw, name) }
  return {
    slots: listOf(raw.slots, checkSlot, slotConditionFaults, `${name}: slots`),
    content: listOf(raw.content, checkContent, contentConditionFaults, `${name}: content`),
  }
}

function listOf<T>(
  raw: unknown,
  check: (entry: unknown) => { ok: true; value: T } | { ok: false; reason: string },
  conditionFaults: (entry: T) => string[],
  where: string,
): T[] | undefined {
  if (raw === undefined) return undefined
  if (!Array.isArray(raw)) throw new CommandError(`${where} must be a list`)
  return raw.map((entry, index) => {
    const checked = check(entry)
    const fault = checked.ok ? conditionFaults(checked.value)[0] : checked.reason
    if (!checked.ok || fault !== undefined) throw new CommandError(`${where}[${index}]: ${fault}`)
    return checked.value
  })
}

/**
 * Returns a slot as it would be. Undefined: the other catalog does not have it.
 *
 * @param was the same as it was
 */
export function otherSlot(
  alternative: Alternative,
  { slot: { slot, contents: slotContents }, contents }: SlotVersion,
): CompiledSlot | undefined {
  if ('policy' in alternative) {
    const { policy: _before, ...rest } = slot
    const other = { ...rest, ...(alternative.policy && { policy: alternative.policy }) }
    const same = slotContents.map(({ content }) => content)
    return compileSlot(other, same, createClauses())
  }
  return slotOfCatalog({ slots: alternative.slots ?? [slot], content: alternative.content ?? contents }, slot.id)
}
