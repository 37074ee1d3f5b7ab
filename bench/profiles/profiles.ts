import type { BenchOptions } from '../options.js'
import { progressOf } from '../support/progress.js'
import { benchLive } from './live.js'
import { benchMillion } from './million.js'
import { benchReducer } from './reducer.js'

const done = progressOf('profiles')

/** Messages that the reducer is timed over. */
const REDUCED = 100_000

/** What profiles cost: the reducer, from the stream to the state, catching up, memory and reads. */
export async function benchProfiles({ seconds, backlog, profiles }: BenchOptions): Promise<string> {
  const reducer = benchReducer(Math.min(REDUCED, backlog))
  done('the reducer is timed')
  const live = await benchLive(seconds, backlog)
  done('caught up')
  const million = await benchMillion(profiles)
  return `## Profiles\n\n${reducer}\n\n${live}\n\n${million}`
}
