import { nearest } from '@slotstream/protocol'
import { cut } from '../conditions/words/show.js'
import { contentFeatureOf, featureOf, type NamedFeature } from './attributes.js'
import { namesIn } from './name-lists.js'
import { numberTrouble } from './number-trouble.js'

/** Names that conditions over persons may use. Absent: any. */
export interface Vocabulary {
  features?: readonly string[]
  /** Those among them, and among the features of content, whose values are numbers. Absent: none is known to be */
  numbers?: readonly string[]
  /** Features of content, in conditions that are asked of a content. */
  contentFeatures?: readonly string[]
  segments?: readonly string[]
  signals?: readonly string[]
}

/** Is called with the names that a condition asks for. */
export type OnNames = (root: 'segments' | 'signals', names: readonly string[]) => void

const ROOTS = ['features', 'segments', 'signals', 'traits', 'context', 'now', 'profile', 'suspicion']

/** Fields of attributes that have some and no others. */
const FIELDS = { profile: ['firstSeen', 'lastSeen', 'sessions', 'events'], suspicion: ['isBot', 'reasons'] }

/** A name of a feature, pattern or segment. */
const NAME = /^[A-Za-z0-9_-]{1,100}$/

/**
 * Says what is wrong with a path of a condition over persons, or with what is asked of it; undefined when nothing is.
 *
 * @param onNames called with the names of segments or signals that it asks for
 * @param isOfContent whether the condition is asked of a content
 */
export function attributeTrouble(
  path: string,
  operand: unknown,
  vocabulary: Vocabulary,
  onNames: OnNames,
  isOfContent: boolean,
): string | undefined {
  const dot = path.indexOf('.')
  const root = dot === -1 ? path : path.slice(0, dot)
  const rest = dot === -1 ? undefined : path.slice(dot + 1)
  switch (root) {
    case 'features':
      return featureTrouble('features', featureOf(path), operand, vocabulary)
    case 'content':
      return isOfContent
        ? featureTrouble('content.features', contentFeatureOf(path), operand, vocabulary)
        : 'only conditions of content and campaigns are asked of a content'
    case 'segments':
    case 'signals': {
      if (rest !== undefined) return `${root} is a list of names, without fields`
      const names = namesIn(operand, root)
      if (!names.ok) return names.reason
      onNames(root, names.value)
      return unknownNames(root.slice(0, -1), names.value, vocabulary[root])
    }
    case 'traits':
    case 'context':
      return rest === undefined || rest.split('.').includes('')
        ? `name what is asked, such as ${EXAMPLES[root]}`
        : undefined
    case 'now':
      return rest === undefined ? undefined : 'now is a time, without fields'
    case 'profile':
    case 'suspicion':
      return rest !== undefined && FIELDS[root].includes(rest)
        ? undefined
        : unknownName(`field of ${root}`, rest ?? '', FIELDS[root])
    default:
      return unknownName('attribute', root, isOfContent ? [...ROOTS, 'content'] : ROOTS)
  }
}

const EXAMPLES = { traits: 'traits.plan', context: 'context.page.path' }

function featureTrouble(
  root: 'features' | 'content.features',
  feature: NamedFeature | undefined,
  operand: unknown,
  { features, contentFeatures, numbers = [] }: Vocabulary,
): string | undefined {
  const names = root === 'features' ? features : contentFeatures
  const name = feature?.name ?? ''
  if (!NAME.test(name))
    return `name a feature, and the key of its value if it has keys: ${root}.NAME or ${root}.NAME.KEY`
  const kind = root === 'features' ? 'feature' : 'feature of content'
  if (names !== undefined && !names.includes(name)) return unknownName(kind, name, names)
  return numbers.includes(name) ? numberTrouble(operand) : undefined
}

function unknownNames(
  kind: string,
  names: readonly string[],
  existing: readonly string[] | undefined,
): string | undefined {
  const unknown = existing === undefined ? [] : names.filter(name => !existing.includes(name))
  return unknown.length === 0 ? undefined : unknown.map(name => unknownName(kind, name, existing!)).join('; ')
}

/** Says that there is nothing of a name, and which one was probably meant. */
export function unknownName(kind: string, name: string, existing: readonly string[]): string {
  const meant = nearest(name, existing)
  const shown = JSON.stringify(cut(name, 100))
  if (meant !== undefined) return `there is no ${kind} ${shown}: did you mean ${JSON.stringify(meant)}?`
  const some = existing.slice(0, MOST_NAMED).join(', ') + (existing.length > MOST_NAMED ? ', …' : '')
  return `there is no ${kind} ${shown}: there ${existing.length === 0 ? 'is none' : `are ${some}`}`
}

/** Most names that a fault lists. */
const MOST_NAMED = 20
