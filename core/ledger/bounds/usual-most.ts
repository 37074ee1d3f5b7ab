import type { Reward } from '@slotstream/protocol'
import { MAX_REWARD, toFixedReward } from '../../learning/sums/fixed-point.js'
import { MOST_TIMES } from '../rewards.js'

/**
 * Returns what an item of a decision earns at most by a reward whose value is a path, in units of `REWARD_SCALE`:
 * `MOST_TIMES` what is typical for the slot. Undefined where nothing is typical yet, or says nothing of such rewards
 * because the slot has others, too: of a click for 1 and an order for 50, most outcomes are clicks.
 */
export function usualMost(rewards: readonly Reward[] = [], typical: number | undefined): number | undefined {
  if (typical === undefined || rewards.length === 0) return undefined
  if (!rewards.every(({ value }) => typeof value === 'string')) return undefined
  if (!rewards.some(({ max }) => max === undefined)) return undefined
  return toFixedReward(Math.min(MAX_REWARD, MOST_TIMES * typical))
}
