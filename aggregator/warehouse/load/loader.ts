import { pause, retryForever, Stopped, type StreamReader, within } from '@slotstream/runtime'
import { LostOwnership } from '../positions/position.js'
import type { LoadDeps } from './load-deps.js'
import { loadStream } from './load-stream.js'

/** Time that a stop waits for the current block, in milliseconds. The next owner loads what is left. */
const STOP_MS = 5_000

/** Pause after an unexpected error, in milliseconds. */
const RESTART_MS = 1_000

export interface LoaderDeps extends LoadDeps {
  /** Returns whether this process still holds the stream's lease. Rejects when that cannot be known now. */
  verify: () => Promise<boolean>
}

export interface Loader {
  /** Finishes the block at hand, within 5 s. */
  stop(): Promise<void>
  /** Ends at once: the stream belongs to another process. */
  drop(): void
  /** True if it reads its stream. */
  readonly ready: boolean
}

/** Loads one stream into its table, each message once, until it is stopped or another process owns the stream. */
export function startLoader(deps: LoaderDeps): Loader {
  const { spec, verify, log } = deps
  const abort = new AbortController()
  let stopping = false
  let ready = false
  let reader: StreamReader | undefined

  async function run() {
    while (!stopping) {
      try {
        await loadStream(deps, abort.signal, started => {
          reader = started
          ready = true
          if (stopping) void started.stop()
        })
      } catch (error) {
        void reader?.stop()
        if (error instanceof Stopped) return
        ready = false
        if (error instanceof LostOwnership) {
          log.warn({ stream: spec.stream }, 'another writer announced a block')
          if (!(await retryForever(verify, abort.signal, () => {}))) return
        } else {
          deps.troubles?.failed(spec.stream, error)
          log.error({ err: error, stream: spec.stream }, 'loading failed unexpectedly, starting again')
          await pause(RESTART_MS, abort.signal)
        }
      }
    }
  }

  /** Forgets the stream: from now on its next owner reports how far it is loaded. */
  function forget(): void {
    const { metrics, troubles } = deps
    for (const gauge of [metrics.position, metrics.lagMessages, metrics.lagSeconds])
      gauge.remove({ stream: spec.stream })
    troubles?.cleared(spec.stream)
  }

  const running = run().catch(error => {
    if (!(error instanceof Stopped)) throw error
  })
  return {
    async stop() {
      stopping = true
      void reader?.stop()
      await within(STOP_MS, running)
      abort.abort()
      forget()
    },
    drop() {
      stopping = true
      void reader?.stop()
      abort.abort()
      forget()
    },
    get ready() {
      return ready
    },
  }
}
