import { seededRandom } from '#core/decide/random.js'
import type { DecisionLog, LoggedSituation } from '#core/evaluate/decision-log.js'

/** A row as a test writes it. */
export interface SomeRow {
  id: string
  reward: number
  propensity: number
  position?: number
  /** Number of its decision. Default: its own */
  decision?: number
  above?: string[]
  eligible?: string[]
  possible?: boolean[]
  /** Recorded chance of each of `eligible`. */
  chances?: number[]
}

/** Makes a log of rows. */
export function logOf(rows: SomeRow[], more: string[] = []): DecisionLog {
  const ids = [...new Set([...rows.flatMap(({ id, eligible = [] }) => [id, ...eligible]), ...more])]
  const numbers = new Map(ids.map((id, number) => [id, number]))
  const situations: LoggedSituation[] = []
  const known = new Map<string, number>()
  const situation = rows.map(({ position = 1, above = [], eligible, possible, chances }) => {
    const key = JSON.stringify([position, above, eligible, possible, chances])
    const number = known.get(key) ?? situations.length
    if (number === situations.length) {
      known.set(key, number)
      situations.push({
        position: position - 1,
        above: above.map(id => numbers.get(id)!),
        ...(eligible && { eligible: eligible.map(id => numbers.get(id)!) }),
        ...(possible && { possible }),
        ...(chances && { chances }),
      })
    }
    return number
  })
  return {
    rows: rows.length,
    ids,
    action: Uint32Array.from(rows, ({ id }) => numbers.get(id)!),
    situation: Uint32Array.from(situation),
    situations,
    reward: Float64Array.from(rows, ({ reward }) => reward),
    propensity: Float64Array.from(rows, ({ propensity }) => propensity),
    decision: Uint32Array.from(rows, ({ decision }, row) => decision ?? row),
    time: Float64Array.from(rows, (_, row) => row * 1_000),
    positions: Math.max(...rows.map(({ position = 1 }) => position)),
  }
}

/**
 * Plays slates of a policy that draws by shares without replacement. Rewards are 1 with the chance of the content at
 * the position.
 *
 * @param shares of contents, by which they are drawn
 * @param rates of contents: the chance of a reward at the first position
 */
export function play(
  decisions: number,
  count: number,
  shares: Record<string, number>,
  rates: Record<string, number>,
  seed: string,
): SomeRow[] {
  const random = seededRandom(seed)
  const rows: SomeRow[] = []
  for (let decision = 0; decision < decisions; decision++) {
    const above: string[] = []
    for (let position = 1; position <= count; position++) {
      const rest = Object.entries(shares).filter(([id]) => !above.includes(id))
      const total = rest.reduce((sum, [, share]) => sum + share, 0)
      let point = random() * total
      let place = 0
      while (place < rest.length - 1 && point >= rest[place]![1]) point -= rest[place++]![1]
      const [id, share] = rest[place]!
      const rate = rates[id]! / position
      rows.push({
        id,
        reward: random() < rate ? 1 : 0,
        propensity: share / total,
        position,
        decision,
        above: [...above],
      })
      above.push(id)
    }
  }
  return rows
}
