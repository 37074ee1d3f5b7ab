import { readFile } from 'node:fs/promises'
import type { ContentFactsById, EligibleContent } from '@slotstream/core'
import { isObject, type PolicySpec } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** Types of policies: that of a file must be one of them. */
const TYPES = [
  'affinity',
  'random',
  'fixed',
  'weighted',
  'popular',
  'trending',
  'covisitation',
  'knn',
  'ease',
  'thompson',
  'contextual',
  'ensemble',
]

/** Exploration of `affinity` where a slot does not say. */
const AFFINITY_EXPLORATION = 0.1

/**
 * Reads a slot's `policy`, or a slot with one.
 *
 * @throws CommandError
 */
export async function readPolicy(file: string): Promise<PolicySpec> {
  const raw = await readJson(file)
  const policy = isObject(raw) && isObject(raw.policy) ? raw.policy : raw
  if (!isObject(policy) || !TYPES.includes(policy.type as string))
    throw new CommandError(`${file} must hold a slot's policy: {"type": …} with one of ${TYPES.join(', ')}`)
  const { contentIds, exploration = AFFINITY_EXPLORATION } = policy
  if (policy.type === 'fixed' && !(Array.isArray(contentIds) && contentIds.every(id => typeof id === 'string')))
    throw new CommandError(`${file}: contentIds must be a list of content ids`)
  if (policy.type !== 'affinity') return policy as unknown as PolicySpec
  if (typeof exploration !== 'number' || !(exploration >= 0 && exploration <= 1))
    throw new CommandError(`${file}: exploration must be a share from 0 to 1`)
  return { ...policy, exploration } as unknown as PolicySpec
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
  return new Map(
    list.map(({ id, category, weight }): [string, EligibleContent] => [
      id,
      {
        id,
        category: typeof category === 'string' ? category : '',
        ...(typeof weight === 'number' && { weight }),
      },
    ]),
  )
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(error => {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandError(`${file} is no JSON: ${(error as Error).message}`)
  }
}
