import type { Content, Policy } from '@slotstream/protocol'
import type { Scored } from '../decide/draw.js'

/** A policy as scores and a share of exploration: the form in which `draw` takes every policy. */
export interface ScoredPolicy {
  candidates: Scored[]
  exploration: number
}

/** Facts that a policy has of the visitor. */
export interface VisitorFeatures {
  /** Interest by category, not negative. */
  affinities: Record<string, number>
}

/** Scores the eligible content by a policy of one type. Content that it leaves out is no candidate. */
export type Score<Type extends Policy['type']> = (
  policy: Extract<Policy, { type: Type }>,
  eligible: Content[],
  features: VisitorFeatures,
) => ScoredPolicy
