import { compileCondition } from '../conditions/compile-condition.js'
import type { Compiled, Condition } from '../conditions/condition.js'
import { isAttributeTime, readAttribute } from './attributes.js'
import { attributeTrouble, type Vocabulary } from './vocabulary.js'

/**
 * Compiles a condition over persons: `features.NAME`, `features.NAME.KEY`, `segments`, `signals`, `traits.…`, `context.…`,
 * `now`, `profile.…`. It is evaluated with `SegmentAttributes`.
 *
 * @param known names that it may use
 * @param path name of the condition in faults
 * @param onSegments called with the names of segments that it asks for
 */
export function compileWhere(
  where: unknown,
  known: Vocabulary = {},
  path = 'where',
  onSegments: (names: readonly string[]) => void = () => {},
): Compiled<Condition> {
  return compileCondition(where, {
    path,
    read: readAttribute,
    isTime: isAttributeTime,
    checkPath: (asked, wanted) => attributeTrouble(asked, wanted, known, onSegments),
  })
}
