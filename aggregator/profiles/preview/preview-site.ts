import {
  type Condition,
  changesOf,
  compileWhere,
  createPreview,
  featuresOf,
  featureValues,
  type PreviewResult,
  personAttributes,
  userOfBrowser,
} from '@slotstream/core'
import { isPersonKey, type PreviewReply, type Profile } from '@slotstream/protocol'
import type { CompiledDefinitions } from '../definitions/compiled-definitions.js'
import type { Person, ReadPerson } from '../reads/read-persons.js'

/** Persons who are read at once: their browsers may be in other processes. */
const AT_ONCE = 32

export interface PreviewDeps {
  /** Yields the profiles of the site in the partition. */
  profiles: AsyncIterable<Profile>
  readPerson: ReadPerson
  definitions: CompiledDefinitions
  /** Asked after each person: what to wait for before the next one. */
  slice: () => Promise<void> | undefined
  abort: AbortSignal
  /** Milliseconds since the epoch. */
  now: number
}

/**
 * Finds who would be in a segment, of the persons whom a partition counts: those of its users, and its browsers that
 * belong to no user.
 *
 * @returns what is wrong with the condition, if anything is
 * @throws when it is aborted
 */
export async function previewSite(where: unknown, deps: PreviewDeps): Promise<PreviewReply> {
  const { profiles, definitions, slice, abort } = deps
  const condition = compileWhere(where, definitions.segments.vocabulary)
  if (!condition.ok) return { faults: condition.faults }
  const preview = createPreview(condition.value)
  const evaluate = evaluator(condition.value, deps)
  const isWanted = ({ profile, suspicion }: Person) =>
    profile.events > 0 && (definitions.includesBots || !suspicion.isBot)
  let batch: Profile[] = []

  async function addBatch(): Promise<void> {
    const persons = await Promise.all(batch.map(profile => deps.readPerson(profile, definitions.features)))
    batch = []
    for (const person of persons) {
      if (isWanted(person)) preview.add(person.id, evaluate(person))
      await slice()
      abort.throwIfAborted()
    }
  }

  for await (const profile of profiles) {
    if (!isCountedHere(profile)) continue
    batch.push(profile)
    if (batch.length >= AT_ONCE) await addBatch()
    abort.throwIfAborted()
  }
  await addBatch()
  return preview.result() satisfies PreviewResult
}

/** Returns whether a profile stands for a person: a browser of a user is counted by the user's partition. */
function isCountedHere(profile: Profile): boolean {
  return isPersonKey(profile.visitorId) || userOfBrowser(profile) === ''
}

/** Creates the function that gives a person's attributes, with no more features than are asked for. */
function evaluator({ paths }: Condition, { definitions, now }: PreviewDeps) {
  const { features, segments } = definitions
  const names = [...new Set([...featuresOf(paths), ...(paths.includes('segments') ? segments.features : [])])]
  return (person: Person) => {
    const attributes = personAttributes(person, featureValues(person.features, features, now, names), now)
    return {
      ...attributes,
      segments: paths.includes('segments') ? changesOf(segments, person.members, attributes).segments : [],
    }
  }
}
