import { compileCondition } from './compile-condition.js'
import type { Compiled, Condition } from './condition.js'
import { isMessageTime, messagePathTrouble } from './message-paths.js'

/**
 * Compiles a condition over a message, the `where` of features and patterns. `timestamp` and its like are compared as
 * times.
 *
 * @param path name of the condition in faults, such as `features[2].source.where`
 */
export function compileMessageCondition(where: unknown, path = 'where'): Compiled<Condition> {
  return compileCondition(where, { path, checkPath: messagePathTrouble, isTime: isMessageTime })
}
