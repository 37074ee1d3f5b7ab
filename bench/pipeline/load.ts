import { uuidv7 } from '@slotstream/protocol'
import { BATCH_SIZE } from '../ingest/bodies.js'
import { openLoop } from '../support/open-loop.js'
import { createPoster } from '../support/poster.js'
import { createShoppers } from './shoppers.js'

/** A command to the load generator. */
export interface SteadyCommand {
  url: string
  writeKey: string
  eventsPerSecond: number
  seconds: number
}

/**
 * News from the load generator: a batch that is to be watched, or the end. Times are milliseconds since the epoch, with
 * fractions.
 */
export type SteadyNews =
  | { kind: 'batch'; messageId: string; intendedAt: number }
  | { kind: 'end'; acknowledged: number; failures: number; latencies: number[] }

/** One batch in so many is watched: the polling is load, too. */
const WATCH_EVERY = 10

/** Sends shoppers' batches at a fixed rate. A process of its own: takes one command from its parent, sends, ends. */
process.once('message', async (command: SteadyCommand) => {
  const poster = createPoster(command.url, command.writeKey)
  const shoppers = createShoppers(3)
  const latencies: number[] = []
  let acknowledged = 0
  let failures = 0
  const tell = (news: SteadyNews, sent: () => void = () => {}) => process.send?.(news, sent)
  await openLoop(
    { perSecond: command.eventsPerSecond / BATCH_SIZE, seconds: command.seconds },
    async (n, intendedAt) => {
      const batch = shoppers.batch(Date.now())
      const last = batch.batch.at(-1)!
      last.messageId ??= uuidv7()
      if (n % WATCH_EVERY === 0)
        tell({ kind: 'batch', messageId: last.messageId, intendedAt: performance.timeOrigin + intendedAt })
      const status = await poster.post('/v1/batch', batch).then(
        answer => answer.status,
        () => 0,
      )
      latencies.push(performance.now() - intendedAt)
      if (status === 200) acknowledged += batch.batch.length
      else failures++
    },
  )
  poster.close()
  tell({ kind: 'end', acknowledged, failures, latencies }, () => process.exit(0))
})

// Its parent is gone: this load is not waited for.
process.on('disconnect', () => process.exit(1))
