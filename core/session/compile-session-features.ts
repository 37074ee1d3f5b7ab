import type { StoredMessage } from '@slotstream/protocol'
import { createCompiler } from '../conditions/compiler.js'
import { AGGREGATE_BY_NAME } from '../features/aggregates/aggregates.js'
import type { BuiltInFeature } from '../features/built-in.js'
import { compileFeatures } from '../features/compile.js'
import type { Features } from '../features/feature.js'

/** Features that a browser counts, and why it leaves out others: one line each. */
export interface SessionFeatures {
  features: Features
  leftOut: string[]
}

/** Without regular expressions: their engine is as large as the rest of the browser package ten times over. */
const compileCondition = createCompiler()

/**
 * Compiles features of sessions for a browser. A definition that can't be used is left out, whatever it is: it comes
 * from the network.
 */
export function compileSessionFeatures(definitions: readonly unknown[]): SessionFeatures {
  const leftOut: string[] = []
  const usable = (definitions as BuiltInFeature[]).filter(definition => {
    const trouble = troubleOf(definition)
    if (trouble) leftOut.push(trouble)
    return !trouble
  })
  return { features: compileFeatures(usable, [], compileWhere), leftOut }
}

/** Returns why a definition is invalid; undefined when it is valid. */
function troubleOf(definition: BuiltInFeature): string | undefined {
  try {
    const { name, aggregate } = definition
    const [feature] = compileFeatures([definition], [], compileWhere).byName.values()
    if (feature?.window.kind !== 'session') return `${name}: is not of a session`
    return Object.hasOwn(AGGREGATE_BY_NAME, aggregate) ? undefined : `${name}: there is no aggregate ${aggregate}`
  } catch (error) {
    return `${definition?.name}: ${error}`
  }
}

function compileWhere(where: object): (message: StoredMessage) => boolean {
  const compiled = compileCondition(where, { path: 'where' })
  if (!compiled.ok) throw new Error(compiled.reason)
  return message => compiled.value.matches(message)
}
