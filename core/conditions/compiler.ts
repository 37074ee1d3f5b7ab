import { isObject, nearest } from '@slotstream/protocol'
import { allOf, anyOf, noneOf } from './clauses/combine.js'
import { fieldClause } from './clauses/field.js'
import { type Compilation, countClause, fault, type Place, placeWithin } from './compilation.js'
import type { Clause, Compiled, CompileOptions, CompilePattern, Condition, Test } from './condition.js'
import { MAX_CONDITION_DEPTH, MAX_FAULTS, MAX_PATH } from './limits.js'
import { equalTo } from './operators/equality.js'
import { isOperatorObject } from './operators/operator-object.js'
import { LOGICAL, OPERATORS } from './operators/table.js'
import { readPath } from './read-path.js'
import { cut } from './words/show.js'

const OPERATOR_NAMES = Object.keys(OPERATORS)

/** Compiles a condition to closures, see `compileCondition`. */
export type CompileCondition = (condition: unknown, options?: CompileOptions) => Compiled<Condition>

/**
 * Creates the compiler of conditions.
 *
 * @param compilePattern engine of regular expressions. Default: there is none, and a pattern is a fault
 */
export function createCompiler(compilePattern?: CompilePattern): CompileCondition {
  return (condition, options = {}) => compile(condition, options, compilePattern)
}

function compile(condition: unknown, options: CompileOptions, compilePattern?: CompilePattern): Compiled<Condition> {
  const compilation: Compilation = {
    options,
    compilePattern,
    faults: [],
    moreFaults: 0,
    clauses: 0,
    patterns: 0,
    readers: new Map(),
    compileTests,
    compileClause,
  }
  const at = options.path ?? 'condition'
  const clause = compileClause(condition, { compilation, at, depth: 0, isTime: false, isElement: false })
  const { moreFaults } = compilation
  const faults = moreFaults > 0 ? [...compilation.faults, `and ${moreFaults} more`] : compilation.faults
  if (faults.length > 0) return { ok: false, reason: faults.join('\n'), faults }
  return {
    ok: true,
    value: {
      matches: clause.matches,
      misses(attributes) {
        const misses: string[] = []
        clause.addMisses(attributes, misses)
        return misses
      },
      countMisses: clause.countMisses,
      paths: [...compilation.readers.keys()],
    },
  }
}

/** Compiles paths and logical operators that must all hold. */
function compileClause(condition: unknown, place: Place): Clause {
  if (!isObject(condition)) fault(place, 'must be an object, such as {"traits.plan": "pro"}')
  else if (place.depth > MAX_CONDITION_DEPTH) fault(place, `is nested deeper than ${MAX_CONDITION_DEPTH} levels`)
  else
    return allOf(Object.entries(condition).map(([key, operand]) => compileEntry(key, operand, placeWithin(place, key))))
  return allOf([])
}

function compileEntry(key: string, operand: unknown, at: Place): Clause {
  const place = { ...at, depth: at.depth + 1 }
  switch (key) {
    case '$and':
      return allOf(compileList(operand, place))
    case '$or':
      return anyOf(compileList(operand, place))
    case '$nor':
      if (Array.isArray(operand) && operand.length === 0) fault(place, 'must not be empty')
      return allOf(compileList(operand, place).map(noneOf))
    case '$not':
      return noneOf(compileClause(operand, place))
    default:
      return compileField(key, operand, place)
  }
}

function compileList(operand: unknown, place: Place): Clause[] {
  if (Array.isArray(operand)) return operand.map((entry, index) => compileClause(entry, placeWithin(place, index)))
  fault(place, 'must be a list of conditions')
  return []
}

function compileField(path: string, operand: unknown, place: Place): Clause {
  const { options, readers, faults } = place.compilation
  // With so many faults it is rejected anyway, and looking for the names that were meant takes time.
  const isLooked = faults.length < MAX_FAULTS && !place.isElement
  const trouble = pathTrouble(path, operand) ?? (isLooked ? options.checkPath?.(path, operand) : undefined)
  if (trouble !== undefined) fault(place, trouble)
  const isTime = !place.isElement && options.isTime?.(path) === true
  const tests = compileTests(operand, { ...place, isTime })
  if (place.isElement) return fieldClause(path, readPath(path), tests)
  const read = readers.get(path) ?? (options.read ?? readPath)(path)
  readers.set(path, read)
  return fieldClause(path, read, tests)
}

/** Returns why a path is invalid, whatever is read. An operator in the place of a path is mostly a misspelt one. */
function pathTrouble(path: string, operand: unknown): string | undefined {
  if (path === '') return 'a path must not be empty'
  if (path.length > MAX_PATH) return `the path has ${path.length} characters, ${MAX_PATH} are allowed`
  if (Object.hasOwn(OPERATORS, path)) return `${path} must stand below a path: {"a.path": {"${path}": …}}`
  if (!path.startsWith('$')) return undefined
  const meant = nearest(path, LOGICAL)
  if (meant !== undefined) return `unknown operator ${path}: did you mean ${meant}?`
  // Attributes may be named like operators, but conditions stand behind these only.
  const isCondition = typeof operand === 'object' && operand !== null && !isOperatorObject(operand)
  return isCondition ? `unknown operator ${cut(path, 64)}: beside paths there are ${LOGICAL.join(', ')}` : undefined
}

/** Compiles what stands behind a path: operators that must all pass, or a value to be equal to. */
function compileTests(operand: unknown, place: Place): Test[] {
  if (!isObject(operand) || !Object.keys(operand).some(key => key.startsWith('$'))) {
    countClause(place)
    const test = equalTo(operand, place)
    return test === undefined ? [] : [test]
  }
  if (!isOperatorObject(operand)) {
    fault(place, 'mixes operators and fields: write each path with dots')
    return []
  }
  if (place.depth > MAX_CONDITION_DEPTH) {
    fault(place, `is nested deeper than ${MAX_CONDITION_DEPTH} levels`)
    return []
  }
  return Object.entries(operand).flatMap(([name, nested]) => {
    const at = { ...placeWithin(place, name), depth: place.depth + 1 }
    countClause(at)
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
    if (operator === undefined) fault(at, unknownOperator(name))
    const test = operator?.(nested, at)
    return test === undefined ? [] : [test]
  })
}

function unknownOperator(name: string): string {
  if ((LOGICAL as readonly string[]).includes(name)) return `${name} must stand beside paths, not below one`
  const meant = nearest(name, OPERATOR_NAMES)
  const hint = meant === undefined ? `there are ${OPERATOR_NAMES.join(', ')}` : `did you mean ${meant}?`
  return `unknown operator ${cut(name, 64)}: ${hint}`
}
