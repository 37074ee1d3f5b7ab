import { compileCondition } from '../conditions/compile-condition.js'
import type { Compiled, Condition, PathReader } from '../conditions/condition.js'
import { isAttributeTime, readAttribute } from './attributes.js'
import { attributeTrouble, type OnNames, type Vocabulary } from './vocabulary.js'

export interface WhereOptions {
  /** Name of the condition in faults. Default `where`. */
  path?: string
  /** Reader that it shares with other conditions: `shareReads(readAttribute).read`. Default: it reads by itself. */
  read?: PathReader
  /** True if it is evaluated for a content, and may read `content.features`. Default: false */
  isOfContent?: boolean
  /** Called with the names of segments and signals that it asks for. */
  onNames?: OnNames
}

/**
 * Compiles a condition over persons: `features.NAME`, `features.NAME.KEY`, `segments`, `signals`, `traits.…`,
 * `context.…`, `now`, `profile.…`; of a content as well over `content.features.NAME`. It is evaluated with
 * `SegmentAttributes`.
 *
 * @param vocabulary names that it may use. Default: any
 */
export function compileWhere(
  where: unknown,
  vocabulary: Vocabulary = {},
  options: WhereOptions = {},
): Compiled<Condition> {
  const { path = 'where', read = readAttribute, isOfContent = false, onNames = () => {} } = options
  return compileCondition(where, {
    path,
    read,
    isTime: isAttributeTime,
    checkPath: (attribute, operand) => attributeTrouble(attribute, operand, vocabulary, onNames, isOfContent),
  })
}
