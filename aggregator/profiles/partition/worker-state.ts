/** Passes that store everything of a released partition, at most. A replay makes up for what they cannot store. */
export const FINAL_PASSES = 3

/**
 * The state of a partition's worker.
 *
 * - `loading`: it reads where the partition resumes. Nothing is in memory yet.
 * - `catching-up`: it applies messages that were in the stream before it began. Profiles are old.
 * - `serving`: its profiles are up to date, and answers may be made of them.
 * - `releasing`: the partition is given up in order. It reads no further, and stores what has changed.
 * - `released`: it does nothing any more.
 */
export type WorkerState =
  | { phase: 'loading' | 'catching-up' | 'serving' | 'released' }
  /** `passesLeft`: passes that may still begin. */
  | { phase: 'releasing'; passesLeft: number }

export type WorkerPhase = WorkerState['phase']

/** Events in the life of a worker. `isLeased`: whether this process holds the partition at that moment. */
export type WorkerEvent =
  /** The checkpoint was read, and the partition's memory is there. */
  | { type: 'loaded' }
  /** Everything that was in the stream when it began is applied. */
  | { type: 'caught-up' }
  /** The partition is given up. */
  | { type: 'release' }
  /** The partition belongs to another process, or its memory is out of date: nothing of it may be stored. */
  | { type: 'drop' }
  /** The stream is read no further, and what was read is handed to the applier. */
  | { type: 'reader-stopped'; isLeased: boolean }
  /** A pass of storing ended. */
  | { type: 'flushed'; isStored: boolean; isLeased: boolean }

/**
 * Effects that a worker has to carry out.
 *
 * - `follow`: apply the stream from the checkpoint on; `caught-up` follows.
 * - `serve`: say that the partition is up to date.
 * - `abort`: end attempts that are under way.
 * - `stop-reader`: read no further; `reader-stopped` follows.
 * - `flush`: store what has changed; `flushed` follows.
 * - `finish`: say that the partition is released.
 */
export type WorkerEffect = 'follow' | 'serve' | 'abort' | 'stop-reader' | 'flush' | 'finish'

type Step = [state: WorkerState, effects: WorkerEffect[]]

/** The state in which a worker starts. */
export const FIRST_STATE: WorkerState = { phase: 'loading' }

const RELEASED: WorkerState = { phase: 'released' }

/** Returns the state after an event, and what has to be done. Events that are too late change nothing. Pure. */
export function stepWorker(state: WorkerState, event: WorkerEvent): Step {
  switch (state.phase) {
    case 'loading':
      if (event.type === 'loaded') return [{ phase: 'catching-up' }, ['follow']]
      // Nothing was applied, so there is nothing to store.
      if (event.type === 'release' || event.type === 'drop') return [RELEASED, ['abort', 'finish']]
      return [state, []]
    case 'catching-up':
      return event.type === 'caught-up' ? [{ phase: 'serving' }, ['serve']] : stepFollowing(state, event)
    case 'serving':
      return stepFollowing(state, event)
    case 'releasing':
      return stepReleasing(state, event)
    case 'released':
      return [state, []]
  }
}

/** Returns the step of a worker that reads the stream. */
function stepFollowing(state: WorkerState, event: WorkerEvent): Step {
  if (event.type === 'release') return [{ phase: 'releasing', passesLeft: FINAL_PASSES }, ['abort', 'stop-reader']]
  if (event.type === 'drop') return [RELEASED, ['abort', 'stop-reader', 'finish']]
  return [state, []]
}

function stepReleasing(state: WorkerState & { phase: 'releasing' }, event: WorkerEvent): Step {
  if (event.type === 'drop') return [RELEASED, ['finish']]
  if (event.type !== 'reader-stopped' && event.type !== 'flushed') return [state, []]
  const { passesLeft } = state
  const isStored = event.type === 'flushed' && event.isStored
  if (isStored || !event.isLeased || passesLeft === 0) return [RELEASED, ['finish']]
  return [{ phase: 'releasing', passesLeft: passesLeft - 1 }, ['flush']]
}
