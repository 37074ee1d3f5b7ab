import { CHECK_ALPHA, type CheckResult } from './sample-ratio.js'

/** One recorded draw. */
export interface AuditedDraw {
  /** Places of what could be drawn, the same for all draws of one policy version. */
  places: readonly number[]
  /** For each place: the recorded chance, in whole units of `scale`. */
  units: readonly number[]
  scale: number
  /** Index in `places` of what was drawn. */
  drawn: number
}

/** An audit of draws against the chances that were recorded with them. */
export interface DrawAudit {
  /** Adds a draw. */
  note(draw: AuditedDraw): void
  /** Returns the result so far. */
  now(): CheckResult & {
    draws: number
    /** The bettor's capital now; `e` is its maximum so far. */
    capital: number
    /** Place whose bets earned the most. Absent: none earned anything */
    suspect?: number
  }
  /** Returns the state from which the audit can be continued. */
  state(): DrawAuditState
}

/** An audit as it is stored. */
export interface DrawAuditState {
  /** For each place, or negative number of what places share: the capital of its accounts, one per bias. */
  accounts: [place: number, capital: number[]][]
  reserve: number
  refills: number
  draws: number
  most: number
  isImpossible: boolean
}

/** Biases that are bet on: differences of the actual chance to the recorded one, each with its share of what is bet. */
const BIASES = [
  { bias: -0.05, share: 1 / 8 },
  { bias: -0.02, share: 1 / 4 },
  { bias: -0.01, share: 1 / 8 },
  { bias: 0.01, share: 1 / 8 },
  { bias: 0.02, share: 1 / 4 },
  { bias: 0.05, share: 1 / 8 },
]

/** Places with accounts of their own, at most. */
const MOST_PLACES = 32

/** Accounts that all other places share, by the rest of their number: few enough in each that a bias of one is seen. */
const SHARED_ACCOUNTS = 64

/** Draws after which more of the reserve is bet: often at first, when places are seen for the first time. */
const REFILLS = [100, 1_000, 10_000]

/** Draws between two refills later on. */
const EVERY = 10_000

const NEW_AUDIT: DrawAuditState = { accounts: [], reserve: 1, refills: 0, draws: 0, most: 1, isImpossible: false }

/**
 * Begins an audit of the draws of one slot and policy version (testing by betting). A bettor begins with a capital of 1
 * and bets against the recorded chances p; if these are true, no bet is favourable. For each place and bias δ, an
 * account is multiplied by (p + δ) / p where the place is drawn and by (1 − p − δ) / (1 − p) where it is not, with δ
 * cut to between −p / 2 and (1 − p) / 2. Half of the capital is bet at once; of the reserve, 1 / (k + 2) at refill k,
 * so that a bias which begins after a million clean draws is found, too. One half of it is bet on all places alike, the
 * other in proportion to p (1 − p): a bias of a place that is drawn often is the hardest to tell from chance. The
 * capital is an e-process: if the chances are true, it ever reaches 1 / α with a probability of at most α (Ville 1939;
 * Shafer, J. R. Stat. Soc. A 184, 2021).
 *
 * @param alpha share of clean audits that fail at any time. Default `CHECK_ALPHA`
 * @param from state of an audit to continue. Default: a new one
 */
export function createDrawAudit(alpha = CHECK_ALPHA, from: DrawAuditState = NEW_AUDIT): DrawAudit {
  const accounts = new Map(from.accounts.map(([place, capital]) => [place, Float64Array.from(capital)]))
  let { reserve, refills, draws, most, isImpossible } = from
  let owners = [...accounts.keys()].filter(number => number >= 0).length

  /** Returns the number of a place's account, which is opened where it is not there. */
  function numberOf(place: number): number {
    if (accounts.has(place)) return place
    const number = owners < MOST_PLACES ? place : -1 - (place % SHARED_ACCOUNTS)
    if (accounts.has(number)) return number
    accounts.set(number, new Float64Array(BIASES.length))
    if (number >= 0) owners++
    return number
  }

  /** Returns the recorded chance of each account that takes part in a draw. */
  function chancesOf({ places, units, scale }: AuditedDraw): Map<number, number> {
    const chances = new Map<number, number>()
    for (const [index, place] of places.entries()) {
      const number = numberOf(place)
      chances.set(number, (chances.get(number) ?? 0) + units[index]! / scale)
    }
    return chances
  }

  function refillIfDue(chances: ReadonlyMap<number, number>): void {
    const due = refills === 0 ? 0 : (REFILLS[refills - 1] ?? EVERY * (refills - REFILLS.length + 1))
    if (draws < due) return
    const paid = reserve / (refills + 2)
    const spreadOf = (number: number) => {
      const p = chances.get(number) ?? 0
      return Math.max(0, p * (1 - p))
    }
    const spread = [...accounts.keys()].reduce((sum, number) => sum + spreadOf(number), 0)
    for (const [number, account] of accounts) {
      const even = 1 / accounts.size
      const part = spread > 0 ? (even + spreadOf(number) / spread) / 2 : even
      for (const [i, { share }] of BIASES.entries()) account[i] = account[i]! + paid * part * share
    }
    reserve -= paid
    refills++
  }

  function capital(): number {
    let sum = reserve
    for (const account of accounts.values()) for (const part of account) sum += part
    return isImpossible ? Number.POSITIVE_INFINITY : sum
  }

  return {
    note(draw) {
      const chances = chancesOf(draw)
      refillIfDue(chances)
      if (!(draw.units[draw.drawn]! > 0)) isImpossible = true
      const drawn = numberOf(draw.places[draw.drawn]!)
      for (const [number, p] of chances) bet(accounts.get(number)!, p, number === drawn)
      draws++
      most = Math.min(Number.MAX_VALUE, Math.max(most, capital()))
    },
    now: () => {
      const suspect = suspectOf(accounts)
      return {
        ok: most < 1 / alpha,
        e: most,
        draws,
        capital: capital(),
        ...(suspect !== undefined && { suspect }),
      }
    },
    state: () => ({
      accounts: [...accounts].map(([place, account]) => [place, [...account]]),
      ...{ reserve, refills, draws, most, isImpossible },
    }),
  }
}

function bet(account: Float64Array, p: number, isDrawn: boolean): void {
  if (!(p > 0 && p < 1)) return
  for (let i = 0; i < BIASES.length; i++) {
    const delta = Math.max(-p / 2, Math.min((1 - p) / 2, BIASES[i]!.bias))
    account[i] = Math.min(1e300, account[i]! * (isDrawn ? 1 + delta / p : 1 - delta / (1 - p)))
  }
}

function suspectOf(accounts: ReadonlyMap<number, Float64Array>): number | undefined {
  let suspect: number | undefined
  let best = 1
  for (const [place, account] of accounts) {
    const earned = account.reduce((sum, part) => sum + part, 0)
    if (place >= 0 && earned > best) [suspect, best] = [place, earned]
  }
  return suspect
}
