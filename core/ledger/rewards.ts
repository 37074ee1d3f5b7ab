import {
  DEFAULT_REWARDS,
  hash32,
  parseDuration,
  type Reward,
  type Sender,
  type ServedDecision,
  type StoredMessage,
} from '@slotstream/protocol'
import { compileMessageCondition } from '../conditions/compile-message-condition.js'
import { isOfEvent } from '../conditions/event-name.js'
import { readValues } from '../conditions/message-paths.js'
import { numberOf } from '../features/input/scalar.js'
import { MAX_REWARD, toFixedReward } from '../learning/sums/fixed-point.js'

const HOUR_MS = 3_600_000

/** Rewards whose compiled form is remembered: a site has a few per slot. */
const MAX_COMPILED = 1_000

/** A reward of a slot, ready for use. */
export interface CompiledReward {
  /** Hash of the definition: profiles keep what was earned by it. */
  hash: number
  windowMs: number
  /** Time in which what it is worth halves, in milliseconds; infinity: it stays. */
  halfLifeMs: number
  /** True if it counts once per item, however many messages there are. */
  isOnce: boolean
  /** Minimum and maximum that an item earns by it, in units of `REWARD_SCALE`. */
  least: number
  most: number
  /** True if messages say what they are worth, and the slot does not bound it: `ServedDecision.most` does. */
  usesUsual: boolean
  /** Returns what a message earns, in units of `REWARD_SCALE`; 0: nothing, or nothing that counts. */
  amountOf(message: StoredMessage, sender: Sender): number
}

/** Rewards of one slot, as it was at a decision. */
export interface CompiledRewards {
  rewards: readonly CompiledReward[]
  byHash: ReadonlyMap<number, CompiledReward>
  events: readonly string[]
  /** The longest window, in milliseconds. */
  longestMs: number
}

/**
 * Maximum that an item earns by one reward, as a multiple of the usual amount: the most that one browser can make of a
 * view, whatever its messages say. Usual revenue has few orders beyond it, because what is typical is already that of
 * large ones.
 */
export const MOST_TIMES = 8

const compiled = new Map<string, CompiledReward>()
const compiledLists = new Map<string, CompiledRewards>()
const compiledOf = new WeakMap<readonly Reward[], CompiledRewards>()

/** Returns what a decision can earn. Each definition is compiled once. */
export function rewardsOf({ rewards: named }: Pick<ServedDecision, 'rewards'>): CompiledRewards {
  const rewards: readonly Reward[] = named ?? DEFAULT_REWARDS
  const before = compiledOf.get(rewards)
  if (before) return before
  const text = JSON.stringify(rewards)
  const result = compiledLists.get(text) ?? compileList(rewards)
  if (compiledLists.size >= MAX_COMPILED) compiledLists.clear()
  compiledLists.set(text, result)
  compiledOf.set(rewards, result)
  return result
}

/** Returns what an item earns by a reward at most, by what the slot says or else by what it earns usually. */
export function mostOf({ most, usesUsual }: CompiledReward, usual: number | undefined): number {
  return usesUsual && usual !== undefined ? Math.min(most, usual) : most
}

function compileList(rewards: readonly Reward[]): CompiledRewards {
  const each = rewards.map(compileOnce)
  return {
    rewards: each,
    byHash: new Map(each.map(reward => [reward.hash, reward])),
    events: rewards.map(({ event }) => event),
    longestMs: Math.max(0, ...each.map(({ windowMs }) => windowMs)),
  }
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
function compileReward(reward: Reward, hash: number): CompiledReward {
  const { event, where, value, halfLife, windowHours, min, max, from } = reward
  const compiledWhere = where === undefined ? undefined : compileMessageCondition(where)
  const condition = compiledWhere?.ok ? compiledWhere.value : undefined
  const isUsable = compiledWhere === undefined || compiledWhere.ok
  const isRead = typeof value === 'string'
  const worthOf = isRead ? createSum(value) : () => value ?? 1
  // One that halves is worth 1 each time, if not said otherwise, and may come again and again.
  const { least, most } = boundsOf(value ?? (halfLife === undefined ? undefined : 1), min, max)
  return {
    hash,
    windowMs: windowHours * HOUR_MS,
    halfLifeMs: (halfLife === undefined ? undefined : parseDuration(halfLife)) || Number.POSITIVE_INFINITY,
    isOnce: value === undefined && halfLife === undefined,
    least,
    most,
    usesUsual: isRead && max === undefined,
    amountOf(message, sender) {
      if (!isUsable || !isOfEvent(message, event) || (from === 'secret' && sender !== 'secret')) return 0
      if (condition && !condition.matches(message)) return 0
      return clamp(fixed(worthOf(message)), least, most)
    },
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}

/** Returns the function that adds up the numbers to which a path leads, also those that are text. */
function createSum(path: string): (message: StoredMessage) => number {
  const read = readValues(path)
  return message => read(message).reduce<number>((sum, value) => sum + (numberOf(value) ?? 0), 0)
}

function fixed(amount: number): number {
  try {
    return toFixedReward(amount)
  } catch {
    return 0
  }
}

/**
 * Returns what an item earns by a reward at least and at most. What takes away is something that only the slot may say.
 */
function boundsOf(value: Reward['value'], min: number | undefined, max: number | undefined) {
  const some = typeof value === 'number' ? Math.min(MAX_REWARD, MOST_TIMES * Math.abs(value)) : MAX_REWARD
  const least = typeof value === 'number' ? -some : 0
  return { least: toFixedReward(min ?? least), most: toFixedReward(max ?? some) }
}
