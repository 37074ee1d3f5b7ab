import { isObject, type JsonObject } from '@slotstream/protocol'
import type { ErrorObject } from 'ajv/dist/2020.js'
import { makeAjv } from './make-ajv.js'
import { TooMuchWork, withinWork } from './work.js'

/** Schemas within a schema above which not all errors are looked for: this needs a second compilation, once. */
export const MAX_EXPLAINED_SUBSCHEMAS = 200

/** Work of looking for all errors: far less than of a check, as each unit may yield an error. */
const MAX_WORK = 20_000

/** Errors from which on they are not told apart. */
const MAX_ERRORS = 500

/** Keywords whose error says what those of their own schemas, before it, say in parts. */
const ALTERNATIVES = new Set(['anyOf', 'oneOf', 'contains', 'propertyNames'])

/** Finds all that is wrong with data; undefined where that would cost too much. */
export type FindAll = (data: unknown) => ErrorObject[] | undefined

/**
 * Makes the function that finds all errors of data. The usual check ends at the first, which bounds what a hostile
 * message costs; this one compiles the schema once more when it is first asked.
 *
 * @param subschemas how many schemas it holds, those behind `$ref` counted at each place
 */
export function createFindAll(schema: JsonObject, subschemas: number): FindAll {
  let compiled: ReturnType<ReturnType<typeof makeAjv>['compile']> | undefined
  return data => {
    if (subschemas > MAX_EXPLAINED_SUBSCHEMAS) return undefined
    compiled ??= makeAjv({ allErrors: true, verbose: true, meta: false }).compile(schema)
    const validate = compiled
    try {
      withinWork(MAX_WORK, () => validate(data))
    } catch (error) {
      if (error instanceof TooMuchWork) return undefined
      throw error
    }
    const errors = validate.errors ?? []
    return errors.length > MAX_ERRORS ? undefined : outermost(errors, schema)
  }
}

/** Leaves out what another error says better: of alternatives, that none fits; of a condition, what follows from it. */
function outermost(errors: readonly ErrorObject[], schema: JsonObject): ErrorObject[] {
  const outer: ErrorObject[] = []
  const alternatives: { path: string; nodes: Set<unknown> }[] = []
  const nodesBySchemas = new Map<unknown, Set<unknown>>()
  for (const error of errors.toReversed()) {
    const { instancePath: path, parentSchema, keyword } = error
    if (alternatives.some(alternative => isWithin(path, alternative.path) && alternative.nodes.has(parentSchema)))
      continue
    if (ALTERNATIVES.has(keyword)) {
      const nodes = nodesBySchemas.get(error.schema) ?? nodesOf(error.schema, schema)
      nodesBySchemas.set(error.schema, nodes)
      alternatives.push({ path, nodes })
    }
    if (keyword !== 'if') outer.push(error)
  }
  return outer.reverse()
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`)
}

/** Returns all schemas that one or several of them consist of, references followed. */
function nodesOf(schemas: unknown, root: JsonObject): Set<unknown> {
  const nodes = new Set<unknown>()
  const waiting = [schemas]
  while (waiting.length > 0) {
    const node = waiting.pop()
    if (typeof node !== 'object' || node === null || nodes.has(node)) continue
    nodes.add(node)
    waiting.push(...Object.values(node))
    if (isObject(node) && typeof node.$ref === 'string') waiting.push(targetOf(node.$ref, root))
  }
  return nodes
}

/** Returns the schema that a reference leads to: the schema was compiled, so it leads somewhere. */
function targetOf(ref: string, root: JsonObject): unknown {
  let at: unknown = root
  for (const part of ref.split('/').slice(1)) {
    const key = decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~')
    at = (at as Record<string, unknown> | undefined)?.[key]
  }
  return at
}
