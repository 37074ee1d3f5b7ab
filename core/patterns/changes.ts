import type { PatternFact, PatternState, PatternStates } from '@slotstream/protocol'
import { MAX_USERS } from './bounds.js'
import type { CompiledPattern, CompiledPatterns, Match } from './compiled.js'
import { arrive, dueOf, settle } from './settle.js'

/** States of patterns, by name. */
type ByName = Record<string, PatternState>

/** The states of a set of patterns while they change. What was handed in stays as it is. */
export class Changes {
  readonly #patterns: CompiledPatterns
  readonly #before: PatternStates | undefined
  #of: ByName | undefined
  #byUser: Record<string, ByName> | undefined
  /** See `due`; undefined: not known since a change. */
  #due: number | undefined
  #isDueNew = false

  constructor(patterns: CompiledPatterns, before: PatternStates | undefined) {
    this.#patterns = patterns
    this.#before = current(patterns, before)
    this.#due = this.#before?.due ?? Number.POSITIVE_INFINITY
  }

  /** Earliest time at which something happens without a message; infinity: never. */
  get due(): number {
    this.#due ??= dueAmong(this.#patterns, this.#of ?? this.#before?.of ?? {}, this.#byUser ?? this.#before?.byUser)
    return this.#due
  }

  /** Does what is due at a time. */
  settleAll(now: number, matches: Match[], isTold = false): void {
    for (const pattern of this.#patterns.patterns) {
      if (!pattern.hasTimers || (isTold && !pattern.isOfPerson)) continue
      const byUser = this.#byUser ?? this.#before?.byUser
      const others = pattern.isOfPerson && byUser ? Object.keys(byUser) : []
      for (const user of [undefined, ...others]) {
        const state = this.#stateOf(pattern, user)
        if (dueOf(pattern, state) <= now)
          this.#put(
            pattern,
            user,
            state,
            ofUser(user, matches, matched => settle(pattern, state, now, matched)),
          )
      }
    }
  }

  /** Lets a pattern take a message. */
  arrive(pattern: CompiledPattern, whose: string | undefined, fact: PatternFact, matches: Match[]): void {
    const user = pattern.isOfPerson ? this.#apart(whose) : undefined
    const state = this.#stateOf(pattern, user)
    const after =
      user === undefined
        ? arrive(pattern, state, fact, matches)
        : ofUser(user, matches, matched => arrive(pattern, state, fact, matched))
    this.#put(pattern, user, state, after)
  }

  /** Returns the user under whom a message is kept: of more than are told apart, it is of none. */
  #apart(user: string | undefined): string | undefined {
    const byUser = this.#byUser ?? this.#before?.byUser ?? {}
    return user && !Object.hasOwn(byUser, user) && Object.keys(byUser).length >= MAX_USERS ? '' : user
  }

  #stateOf(pattern: CompiledPattern, user: string | undefined): PatternState {
    const byName = user === undefined ? (this.#of ?? this.#before?.of) : this.#ofUser(user)
    return stateIn(byName, pattern) ?? { version: pattern.version }
  }

  #ofUser(user: string): ByName | undefined {
    const byUser = this.#byUser ?? this.#before?.byUser
    return byUser && Object.hasOwn(byUser, user) ? byUser[user] : undefined
  }

  #put(
    { name, hasTimers }: CompiledPattern,
    user: string | undefined,
    before: PatternState,
    after: PatternState,
  ): void {
    if (after === before) return
    if (user === undefined) {
      this.#of ??= { ...this.#before?.of }
      this.#of[name] = after
    } else {
      // No assignment: a user may be called `__proto__`.
      this.#byUser = { ...(this.#byUser ?? this.#before?.byUser), [user]: { ...this.#ofUser(user), [name]: after } }
    }
    if (!hasTimers) return
    this.#due = undefined
    this.#isDueNew = true
  }

  /** Returns the states so far. They change with the next step. */
  states(): PatternStates | undefined {
    if (!this.#of && !this.#byUser) return this.#before
    const byName = this.#of ?? this.#before?.of ?? {}
    const byUser = this.#byUser ?? this.#before?.byUser
    if (this.#isDueNew || !this.#before) return statesWith(this.#patterns, byName, byUser)
    return { ...this.#before, of: byName, ...(byUser && { byUser }) }
  }
}

/** Notes of matches of whose messages they are. */
function ofUser(user: string | undefined, matches: Match[], look: (matched: Match[]) => PatternState): PatternState {
  if (user === undefined) return look(matches)
  const matched: Match[] = []
  const state = look(matched)
  for (const match of matched) matches.push({ ...match, user })
  return state
}

/** Returns the states of this set of patterns: those of other definitions are dropped. */
function current(patterns: CompiledPatterns, before: PatternStates | undefined): PatternStates | undefined {
  if (!before || before.version === patterns.version) return before
  const byUser = before.byUser && Object.entries(before.byUser)
  const ofUsers = byUser?.map(([user, byName]): [string, ByName] => [user, currentOf(patterns, byName)])
  return statesWith(patterns, currentOf(patterns, before.of), ofUsers && Object.fromEntries(ofUsers))
}

function currentOf(patterns: CompiledPatterns, before: Readonly<ByName>): ByName {
  const byName: ByName = {}
  for (const pattern of patterns.patterns) {
    const state = stateIn(before, pattern)
    if (state) byName[pattern.name] = state
  }
  return byName
}

function statesWith(patterns: CompiledPatterns, first: ByName, byUser?: Record<string, ByName>): PatternStates {
  const due = dueAmong(patterns, first, byUser)
  return {
    version: patterns.version,
    ...(due < Number.POSITIVE_INFINITY && { due }),
    of: first,
    ...(byUser && { byUser }),
  }
}

function dueAmong(patterns: CompiledPatterns, first: ByName, byUser?: Record<string, ByName>): number {
  let due = Number.POSITIVE_INFINITY
  for (const byName of byUser ? [first, ...Object.values(byUser)] : [first])
    for (const pattern of patterns.patterns) {
      const state = pattern.hasTimers ? stateIn(byName, pattern) : undefined
      if (state) due = Math.min(due, dueOf(pattern, state))
    }
  return due
}

/**
 * Returns the state of a pattern. A property that every object inherits under its name has no version, or another one.
 */
function stateIn(byName: Readonly<ByName> | undefined, { name, version }: CompiledPattern): PatternState | undefined {
  const state = byName?.[name]
  return state?.version === version ? state : undefined
}
