import type { Lease } from './connections/connections.js'
import type { EngineQuery } from './engine-query.js'
import { intoPipe, type QuerySummary } from './execute.js'
import type { Pipe, Pipes } from './files/pipes.js'
import type { RunningQueries } from './running/running-queries.js'

export interface StreamResultDeps {
  pipes: Pipes
  running: Pick<RunningQueries, 'killable'>
  /** Runs work for the query on a connection of its own. */
  withConnection: <T>(query: EngineQuery, signal: AbortSignal, work: (lease: Lease) => Promise<T>) => Promise<T>
}

/** Runs a SELECT, and yields its bytes as the engine makes them. Ends or throws with the query. */
export async function* streamResult(
  { pipes, running, withConnection }: StreamResultDeps,
  query: EngineQuery,
  signal: AbortSignal,
): AsyncGenerator<Buffer, QuerySummary, undefined> {
  // A reader that leaves early must stop the query too, or the engine would write into a full pipe for ever.
  const left = new AbortController()
  const stop = AbortSignal.any([signal, left.signal])
  let opened: (pipe: Pipe) => void
  const opening = new Promise<Pipe>(resolve => {
    opened = resolve
  })
  const ended = withConnection(query, stop, async ({ connection, id }) => {
    const pipe = await pipes.take()
    opened(pipe)
    try {
      return await running.killable(id, stop, intoPipe(connection, query, pipe))
    } finally {
      pipe.finish()
    }
  })
  const pipe = await Promise.race([opening, ended.then(() => opening)])
  try {
    for await (const chunk of pipe.reader) yield chunk as Buffer
    const result = await ended
    if (result.bytes().length > 0) yield Buffer.from(result.bytes())
    return { result_rows: result.rowsRead }
  } finally {
    left.abort(new Error('The reader of the result left'))
    pipe.reader.destroy()
    await ended.catch(() => {})
    pipe.release()
  }
}
