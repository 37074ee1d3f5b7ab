import type { DecisionLog, LoggedSituation, Lot } from '../evaluate/decision-log.js'
import type { ContentChance } from './decide-otherwise.js'

/** One position of a recorded decision, with what another slot would have shown there. */
export interface CounterfactualRow {
  contentId: string
  reward: number
  propensity: number
  /** Number of the position, from 0. */
  position: number
  above: readonly string[]
  /** Content that the record has a chance for at the first position. Undefined: it does not say */
  logged: readonly ContentChance[] | undefined
  /** Contents that the other slot could have shown there, with their chances. */
  chances: readonly ContentChance[]
}

/** Rows that are gathered to value a slot by. */
export interface CounterfactualLog {
  /** Adds the positions of one decision, in their order. */
  add(rows: readonly CounterfactualRow[]): void
  /** Returns the log, and of each of its situations what the other slot could have shown. */
  finish(): { log: DecisionLog; lots: Lot[] }
}

/** Rounds a chance to a power of two: near enough for the spread of weights, and few lists of chances differ. */
function roughly(chance: number): number {
  return chance > 0 ? 2 ** Math.round(Math.log2(chance)) : 0
}

/** Creates an empty log. */
export function createCounterfactualLog(): CounterfactualLog {
  const ids: string[] = []
  const numbers = new Map<string, number>()
  const situations: LoggedSituation[] = []
  const lots: Lot[] = []
  const sharedByKey = new Map<string, Required<Pick<LoggedSituation, 'eligible' | 'possible' | 'chances'>>>()
  const columns = {
    action: [] as number[],
    reward: [] as number[],
    propensity: [] as number[],
    decision: [] as number[],
  }
  let decisions = 0
  const numberOf = (id: string): number => {
    const number = numbers.get(id)
    if (number !== undefined) return number
    numbers.set(id, ids.length)
    return ids.push(id) - 1
  }
  /** Decisions of a slot have few different lists: they share them. */
  const eligibleOf = (logged: readonly ContentChance[]) => {
    const eligible = logged.map(({ contentId }) => numberOf(contentId))
    const possible = logged.map(({ chance }) => chance > 0)
    const chances = logged.map(({ chance }) => roughly(chance))
    const key = `${eligible.join()} ${chances.join()}`
    const shared = sharedByKey.get(key) ?? { eligible, possible, chances }
    sharedByKey.set(key, shared)
    return shared
  }
  return {
    add(rows) {
      for (const { contentId, reward, propensity, position, above, logged, chances } of rows) {
        columns.action.push(numberOf(contentId))
        columns.reward.push(reward)
        columns.propensity.push(propensity)
        columns.decision.push(decisions)
        situations.push({ position, above: above.map(numberOf), ...(logged && eligibleOf(logged)) })
        lots.push({
          actions: Uint32Array.from(chances, chance => numberOf(chance.contentId)),
          chances: Float64Array.from(chances, ({ chance }) => chance),
        })
      }
      if (rows.length > 0) decisions++
    },
    finish: () => ({
      log: {
        rows: columns.action.length,
        ids,
        action: Uint32Array.from(columns.action),
        situation: Uint32Array.from(situations.keys()),
        situations,
        reward: Float64Array.from(columns.reward),
        propensity: Float64Array.from(columns.propensity),
        decision: Uint32Array.from(columns.decision),
        positions: situations.reduce((most, { position }) => Math.max(most, position + 1), 0),
      },
      lots,
    }),
  }
}
