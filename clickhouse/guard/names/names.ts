import type { Role } from '../../access/roles.js'
import * as engine from './engine-names.js'

/** Look like functions and aren't in the engine's list of them. */
const SPECIAL_FUNCTIONS = ['untuple', 'grouping', 'exists']

/** Keywords that stand before a bracket in what all users may write. */
const KEYWORDS = words(`
  ALL AND ANY AS AST BETWEEN BY COLUMNS DISTINCT ESTIMATE EXCEPT EXPLAIN FROM HAVING ILIKE IN INTERPOLATE INTERSECT JOIN
  LIKE LIMIT MATERIALIZED NOT OFFSET ON OR OVER PIPELINE PLAN PREWHERE QUALIFY REPLACE SELECT SETS STEP SYNTAX TABLE TO
  TREE UNION USING VIEW WHERE WITH
`)

/** Keywords and parts of definitions before a bracket in what builders write. */
const DEFINITIONS = words(`
  ALIAS CHECK CODEC CONSTRAINT DEFAULT EPHEMERAL INDEX INTO KEY MODIFY PARTITION PROJECTION SET SETTINGS TTL TYPE VALUES
  Delta DoubleDelta FPC GCD Gorilla LZ4 LZ4HC NONE T64 ZSTD
  bloom_filter minmax ngrambf_v1 set sparse_grams text tokenbf_v1 vector_similarity hypothesis statistics
  CHAR VARCHAR
`)

const OPEN = lower([...engine.FUNCTIONS, ...engine.TABLE_FUNCTIONS, ...SPECIAL_FUNCTIONS, ...KEYWORDS])
const BUILDING = lower([...engine.DATA_TYPES, ...engine.TABLE_ENGINES, ...DEFINITIONS])
const SLOW = lower(engine.SLOW_FUNCTIONS)
const LISTED = lower(engine.LISTED_FUNCTIONS)
const DEEP = lower(engine.DEEP_FUNCTIONS)
const TYPE_PLACES = new Map(Object.entries(engine.TYPED_FUNCTIONS).map(([name, place]) => [name.toLowerCase(), place]))
const AGGREGATING = lower(engine.AGGREGATING_FUNCTIONS)
const TRUSTED = new Set([...SLOW, ...DEEP, ...lower([...engine.TRUSTED_FUNCTIONS, ...engine.TRUSTED_TABLE_FUNCTIONS])])
const SYSTEM_TABLES = new Set(engine.SYSTEM_TABLES)
const TYPES = lower(engine.DATA_TYPES)
const ENGINES = lower(engine.TABLE_ENGINES)
const BUILDER_ENGINES = lower(engine.BUILDER_TABLE_ENGINES)

/** Names that the engine knows as functions: all that were reviewed. */
const REVIEWED = lower([
  ...engine.FUNCTIONS,
  ...engine.SLOW_FUNCTIONS,
  ...engine.DEEP_FUNCTIONS,
  ...engine.TRUSTED_FUNCTIONS,
  ...engine.REFUSED_FUNCTIONS,
  ...engine.TABLE_FUNCTIONS,
  ...engine.TRUSTED_TABLE_FUNCTIONS,
  ...engine.REFUSED_TABLE_FUNCTIONS,
])
/** Of those the ones that an expression can name without a bracket, as in `arrayMap(file, …)`. */
const REFERABLE = lower([
  ...engine.SLOW_FUNCTIONS,
  ...engine.DEEP_FUNCTIONS,
  ...engine.TRUSTED_FUNCTIONS,
  ...engine.REFUSED_FUNCTIONS,
])

/** Names of the installed engine, which may be more than were reviewed. */
export interface EngineNames {
  functions: readonly string[]
  tableFunctions: readonly string[]
  systemTables: readonly string[]
}

/**
 * Answers what a role may name. Names are compared in lower case: no allowed one differs from a rejected one by case.
 */
export interface Names {
  /** Tells whether `name(…)` may be in a statement of this role. */
  mayCall(name: string, role: Role): boolean
  /** Tells whether the function ignores the time limit, and is rejected for that. */
  isSlow(name: string): boolean
  /** Tells whether the function ends the engine when its input is nested deeply enough, and is rejected for that. */
  isDeep(name: string): boolean
  /** Returns the place of the argument that names a type, from the end where it is negative. */
  typePlaceOf(name: string): number | undefined
  /** Tells whether the first argument names an aggregate function. */
  namesAggregate(name: string): boolean
  /** Tells whether a call of this function by this role needs a list in the open. */
  needsList(name: string, role: Role): boolean
  /** Tells whether the engine has a function of this name, of any kind. */
  isFunction(name: string): boolean
  /** Tells whether `name` alone can be a function that the role may not call. */
  isRefusedReference(name: string, role: Role): boolean
  mayReadSystemTable(table: string): boolean
  /** Tells whether `system` has this table. */
  isSystemTable(table: string): boolean
  /** Tells whether the role may create tables of this engine. */
  mayUseEngine(name: string, role: Role): boolean
  isDataType(name: string): boolean
}

/** Makes the lists of names from what was reviewed and what the installed engine has. */
export function createNames(installed: EngineNames): Names {
  const functions = new Set([...REVIEWED, ...lower([...installed.functions, ...installed.tableFunctions])])
  const referable = new Set([...REFERABLE, ...lower(installed.functions)])
  const systemTables = new Set([...engine.SYSTEM_TABLES, ...engine.TRUSTED_SYSTEM_TABLES, ...installed.systemTables])
  const names: Names = {
    mayCall(name, role) {
      const lowerName = name.toLowerCase()
      return (
        isOpen(lowerName) ||
        (role !== 'analyst' && BUILDING.has(lowerName)) ||
        (role === 'writer' && TRUSTED.has(lowerName))
      )
    },
    isFunction: name => functions.has(name.toLowerCase()),
    isSlow: name => SLOW.has(name.toLowerCase()),
    isDeep: name => DEEP.has(name.toLowerCase()),
    typePlaceOf: name => TYPE_PLACES.get(name.toLowerCase()),
    namesAggregate: name => AGGREGATING.has(name.toLowerCase()),
    needsList: (name, role) => role !== 'writer' && LISTED.has(name.toLowerCase()),
    isRefusedReference: (name, role) =>
      names.needsList(name, role) || (referable.has(name.toLowerCase()) && !names.mayCall(name, role)),
    mayReadSystemTable: table => SYSTEM_TABLES.has(table),
    isSystemTable: table => systemTables.has(table),
    isDataType: name => TYPES.has(name.toLowerCase()),
    mayUseEngine: (name, role) => (role === 'writer' ? ENGINES : BUILDER_ENGINES).has(name.toLowerCase()),
  }
  return names
}

/** `sumIf` is `sum` with a combinator, of which there can be several. */
function isOpen(name: string): boolean {
  if (OPEN.has(name)) return true
  return COMBINATORS.some(
    ending => name.length > ending.length && name.endsWith(ending) && isOpen(name.slice(0, -ending.length)),
  )
}

const COMBINATORS = [...lower(engine.COMBINATORS)]

function lower(names: readonly string[]): Set<string> {
  return new Set(names.map(name => name.toLowerCase()))
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
