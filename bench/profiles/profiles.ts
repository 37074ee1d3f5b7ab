import type { BenchOptions } from '../options.js'
import { progressOf } from '../support/progress.js'
import { benchFill } from './fill.js'
import { benchLive } from './live.js'
import { benchMillion } from './million.js'
import { benchReducer } from './reducer.js'

const done = progressOf('profiles')

/** Messages that the reducer is timed over. */
const REDUCED = 100_000

/**
 * Measures what profiles cost: the reducer, from the stream to the state, catching up, history of features, memory and
 * reads.
 */
export async function benchProfiles({ seconds, backlog, profiles }: BenchOptions): Promise<string> {
  const reducer = benchReducer(Math.min(REDUCED, backlog))
  done(`the reducer is timed\n\n${reducer}`)
  const live = await benchLive(seconds, backlog)
  done(`caught up\n\n${live}`)
  const fill = await benchFill(backlog)
  done(`the history of features is counted\n\n${fill}`)
  const million = await benchMillion(profiles)
  return `## Profiles\n\n${reducer}\n\n${live}\n\n${fill}\n\n${million}`
}
