import { type ContentFactsById, factsOf } from '@slotstream/core'
import { type Content, isObject, type PolicySpec } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { policyIn, readJson } from '../../json-file.js'

/**
 * Reads a slot's `policy`, or a slot with one.
 *
 * @throws CommandError
 */
export async function readPolicy(file: string): Promise<PolicySpec> {
  return policyIn(await readJson(file), file)
}

/**
 * Reads contents as they are in a catalog: a list, or an object with a list `content`.
 *
 * @throws CommandError
 */
export async function readContents(file: string | undefined): Promise<ContentFactsById> {
  if (file === undefined) return new Map()
  const raw = await readJson(file)
  const list = isObject(raw) ? raw.content : raw
  if (!Array.isArray(list) || !list.every(entry => isObject(entry) && typeof entry.id === 'string'))
    throw new CommandError(`${file} must hold a list of contents, each with an id, or {"content": [ … ]}`)
  return new Map(list.map(content => [content.id, factsOf(content as unknown as Content)]))
}
