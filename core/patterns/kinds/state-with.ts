import type { PatternState } from '@slotstream/protocol'

type Lists = Pick<PatternState, 'pending' | 'runs' | 'refuters' | 'told' | 'windows' | 'quiet'>

/** Returns a state with other lists. Those that are empty are left out, so that a state takes no more than it holds. */
export function stateWith(state: PatternState, lists: Lists): PatternState {
  const all: Lists = { ...state, ...lists }
  const next: PatternState = { version: state.version }
  if (state.settled !== undefined) next.settled = state.settled
  if (all.pending?.length) next.pending = all.pending
  if (all.runs?.length) next.runs = all.runs
  if (all.refuters?.length) next.refuters = all.refuters
  if (all.told?.length) next.told = all.told
  if (all.windows?.length) next.windows = all.windows
  if (state.latest) next.latest = state.latest
  if (all.quiet?.length) next.quiet = all.quiet
  return next
}

/** Returns a state with another latest message. */
export function withLatest(state: PatternState, latest: NonNullable<PatternState['latest']>): PatternState {
  const next = { ...state }
  next.latest = latest
  return next
}
