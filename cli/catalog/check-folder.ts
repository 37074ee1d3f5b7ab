import { join } from 'node:path'
import {
  contentConditionFaults,
  counted,
  createCheckDecisionTest,
  missingContents,
  payloadFaults,
  type SchemaSlot,
  schemaSlotsOf,
  slotConditionFaults,
} from '@slotstream/core'
import { type Content, leftOverNames, type Slot, strictContent, strictSlot } from '@slotstream/protocol'
import { CommandError, compilePayloadSchema } from '@slotstream/tracking-plan'
import { fileOf } from '../list-folder.js'
import type { Catalog, Folder, FoundTest, List } from './catalog-folder.js'
import type { Command } from './parse-arguments.js'

/**
 * Checks the lists of a folder: their form, their conditions and the payloads. Names of features, segments and signals
 * are left to the collector, which knows them.
 *
 * @param command that checks: only a push could have published
 * @param published of the site, for a list that the folder does not have. Default: nothing
 * @returns the catalog as it will be
 * @throws CommandError with a line for each fault, naming the file
 */
export function checkFolder(
  folder: string,
  lists: Folder,
  command: Command['do'],
  published: Catalog = { slots: [], content: [] },
): Catalog {
  const faults: string[] = []
  const note = (list: List, index: number, lines: readonly string[]) => {
    for (const line of lines) faults.push(`${join(folder, fileOf(list))}: ${list}[${index}]: ${line}`)
  }
  const slots = lists.slots === undefined ? published.slots : checkSlots(lists.slots, note)
  const withSchema = schemaSlotsOf(slots, compilePayloadSchema)
  const isWithoutSlots = lists.slots === undefined && published.slots.length === 0
  // Without its slots, a folder of content is checked as far as it goes.
  const slotIds = new Set(isWithoutSlots ? slotsNamedBy(lists.content ?? []) : slots.map(({ id }) => id))
  const isLeftOver = leftOverNames(published.content, new Set(published.slots.map(({ id }) => id)))
  const checkOne = (item: unknown) => strictContent(item, slotIds, isLeftOver)
  const content =
    lists.content === undefined ? published.content : checkContents(lists.content, checkOne, withSchema, note)
  noteTwice('slots', lists.slots, note)
  noteTwice('content', lists.content, note)
  if (faults.length > 0) throw failed(faults, counted(faults.length, 'problem'), command)
  return { slots, content }
}

type Note = (list: List, index: number, lines: readonly string[]) => void

function checkSlots(raw: readonly unknown[], note: Note): Slot[] {
  return raw.flatMap((item, index) => {
    const checked = strictSlot(item)
    note('slots', index, checked.ok ? slotConditionFaults(checked.value) : checked.faults)
    if (!checked.ok) return []
    const { schema } = checked.value
    const compiled = schema && compilePayloadSchema(schema)
    if (compiled?.ok === false) note('slots', index, [`schema: ${compiled.reason}`])
    return [checked.value]
  })
}

function checkContents(
  raw: readonly unknown[],
  checkOne: (item: unknown) => ReturnType<typeof strictContent>,
  withSchema: readonly SchemaSlot[],
  note: Note,
): Content[] {
  return raw.flatMap((item, index) => {
    const checked = checkOne(item)
    note('content', index, checked.ok ? contentConditionFaults(checked.value) : checked.faults)
    if (!checked.ok) return []
    note('content', index, payloadFaults(checked.value, withSchema))
    return [checked.value]
  })
}

function slotsNamedBy(content: readonly unknown[]): string[] {
  return content.flatMap(item => {
    const slots = (item as { slots?: unknown } | null)?.slots
    return Array.isArray(slots) ? slots.filter(id => typeof id === 'string') : []
  })
}

function noteTwice(list: List, raw: readonly unknown[] | undefined, note: Note): void {
  const first = new Map<unknown, number>()
  for (const [index, item] of (raw ?? []).entries()) {
    const id = (item as { id?: unknown } | null)?.id
    const before = first.get(id)
    if (before === undefined) first.set(id, index)
    else note(list, index, [`id is the one of ${list}[${before}], too`])
  }
}

/**
 * Checks decision tests: runs them, looks for persons who break those that pass, and measures how long decisions take.
 *
 * @param clock milliseconds, with fractions
 * @param command as in `checkFolder`
 * @returns a line for each content that they name and that there is not, naming the file
 * @throws CommandError with a line for each that fails, naming the file
 */
export async function refuseFailing(
  tests: readonly FoundTest[],
  catalog: Catalog,
  siteId: string,
  clock: () => number,
  command: Command['do'],
): Promise<string[]> {
  const check = createCheckDecisionTest(catalog, { siteId, now: Date.now(), tests: tests.length, clock })
  const contentIds = new Set(catalog.content.map(({ id }) => id))
  const [faults, missing]: [string[], string[]] = [[], []]
  let failures = 0
  for (const { at, test } of tests) {
    const lines = await check(test)
    if (lines.length > 0) failures++
    faults.push(...lines.map(line => `${at}: ${line}`))
    missing.push(...missingContents(test, contentIds).map(line => `${at}: ${line}`))
  }
  const outcome = `${failures} of ${counted(tests.length, 'decision test')} failed`
  if (faults.length > 0) throw failed(faults, outcome, command)
  return missing
}

function failed(faults: readonly string[], outcome: string, command: Command['do']): CommandError {
  return new CommandError([...faults, command === 'push' ? `${outcome}: nothing was published` : outcome].join('\n'))
}
