import { isObject } from '@slotstream/protocol'

/** A condition as a tree of `$and`, `$or`, `$not`, and leaves: a path with its operand. */
export type Parts =
  | { type: 'all' | 'any'; parts: Parts[] }
  | { type: 'not'; part: Parts }
  | { type: 'path'; path: string; expected: unknown }

/** Parses a condition that compiles into a tree, with the meaning that `compileCondition` gives it. */
export function partsOfCondition(where: unknown): Parts {
  if (!isObject(where)) return { type: 'all', parts: [] }
  const parts = Object.entries(where).map(([key, expected]): Parts => {
    const list = Array.isArray(expected) ? expected.map(partsOfCondition) : []
    if (key === '$and') return { type: 'all', parts: list }
    if (key === '$or') return list.length === 0 ? { type: 'all', parts: [] } : { type: 'any', parts: list }
    if (key === '$nor') return { type: 'not', part: { type: 'any', parts: list } }
    if (key === '$not') return { type: 'not', part: partsOfCondition(expected) }
    return { type: 'path', path: key, expected }
  })
  return parts.length === 1 ? parts[0]! : { type: 'all', parts }
}

/** Calls a function with each path of a condition and its operand. */
export function forEachPath(parts: Parts, visit: (path: string, expected: unknown) => void): void {
  if (parts.type === 'path') visit(parts.path, parts.expected)
  else if (parts.type === 'not') forEachPath(parts.part, visit)
  else for (const part of parts.parts) forEachPath(part, visit)
}
