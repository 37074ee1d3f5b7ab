import autocannon from 'autocannon'
import { createBodies } from './bodies.js'

/** A command to the load generator, which answers with a `LoadResult`. */
export interface LoadCommand {
  url: string
  writeKey: string
  seconds: number
  connections: number
  run: string
}

export interface LoadResult {
  batches: number
  failures: number
  seconds: number
  p50: number
  p99: number
}

/** The load generator, a process of its own: takes one command from its parent, sends, answers, ends. */
process.once('message', async (command: LoadCommand) => {
  const bodies = createBodies(command.run, Date.now())
  const result = await autocannon({
    url: command.url,
    connections: command.connections,
    duration: command.seconds,
    requests: [
      {
        method: 'POST',
        path: '/v1/batch',
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Basic ${Buffer.from(`${command.writeKey}:`).toString('base64')}`,
        },
        // autocannon copies the body into the request, so that the next one may be written over it.
        setupRequest: request => ({ ...request, body: bodies.next() }),
      },
    ],
  })
  const answer: LoadResult = {
    batches: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    seconds: result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
  }
  process.send?.(answer, () => process.exit(0))
})

// Its parent is gone: this load is not waited for.
process.on('disconnect', () => process.exit(1))
