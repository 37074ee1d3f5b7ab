import { DEFAULT_REWARDS, hash32, type Reward, type ServedDecision, type StoredMessage } from '@slotstream/protocol'
import { compileMessageCondition } from '../conditions/compile-message-condition.js'
import { isOfEvent } from '../conditions/event-name.js'
import { readValues } from '../conditions/message-paths.js'
import { toFixedReward } from '../learning/sums/fixed-point.js'

const HOUR_MS = 3_600_000

/** Rewards whose compiled form is remembered: a site has a few per slot. */
const MAX_COMPILED = 1_000

/** A reward of a slot, ready for use. */
export interface CompiledReward {
  /** Hash of the definition: profiles keep what was earned by it. */
  hash: number
  windowMs: number
  /** Whether it counts once per item, however many messages there are. */
  isOnce: boolean
  /** Returns what a message earns, in units of `REWARD_SCALE`; 0: nothing, or nothing that counts. */
  amountOf(message: StoredMessage): number
}

/** Rewards of one slot, as it was at a decision. */
export interface CompiledRewards {
  rewards: readonly CompiledReward[]
  byHash: ReadonlyMap<number, CompiledReward>
  events: readonly string[]
  /** The longest window, in milliseconds. */
  longestMs: number
}

const compiled = new Map<string, CompiledReward>()
const compiledOf = new WeakMap<readonly Reward[], CompiledRewards>()

/** Returns what a decision can earn. Each definition is compiled once. */
export function rewardsOf({ rewards: named }: Pick<ServedDecision, 'rewards'>): CompiledRewards {
  const rewards: readonly Reward[] = named ?? DEFAULT_REWARDS
  const before = compiledOf.get(rewards)
  if (before) return before
  const each = rewards.map(compileOnce)
  const result: CompiledRewards = {
    rewards: each,
    byHash: new Map(each.map(reward => [reward.hash, reward])),
    events: rewards.map(({ event }) => event),
    longestMs: Math.max(0, ...each.map(({ windowMs }) => windowMs)),
  }
  compiledOf.set(rewards, result)
  return result
}

function compileOnce(reward: Reward): CompiledReward {
  const text = JSON.stringify(reward)
  const before = compiled.get(text)
  if (before) return before
  if (compiled.size >= MAX_COMPILED) compiled.clear()
  const result = compileReward(reward, hash32(text))
  compiled.set(text, result)
  return result
}

/** Compiles a reward. One whose condition cannot be used yields nothing: the catalog refuses those. */
function compileReward({ event, where, value, windowHours }: Reward, hash: number): CompiledReward {
  const compiledWhere = where === undefined ? undefined : compileMessageCondition(where)
  const condition = compiledWhere?.ok ? compiledWhere.value : undefined
  const isUsable = compiledWhere === undefined || compiledWhere.ok
  const amountOf = typeof value === 'string' ? createSum(value) : () => value ?? 1
  return {
    hash,
    windowMs: windowHours * HOUR_MS,
    isOnce: value === undefined,
    amountOf(message) {
      if (!isUsable || !isOfEvent(message, event)) return 0
      return !condition || condition.matches(message) ? fixed(amountOf(message)) : 0
    },
  }
}

/** Returns the function that adds up the numbers to which a path leads. */
function createSum(path: string): (message: StoredMessage) => number {
  const read = readValues(path)
  return message => read(message).reduce<number>((sum, value) => sum + (typeof value === 'number' ? value : 0), 0)
}

function fixed(amount: number): number {
  try {
    return toFixedReward(amount)
  } catch {
    return 0
  }
}
