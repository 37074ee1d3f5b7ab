import type { StreamReader } from '@slotstream/runtime'
import { type LoadParts, loadStream } from './load-stream.js'
import { LostOwnership } from './position.js'
import { pause, Stopped } from './retry.js'

/** How long a stop waits for the block at hand, in milliseconds. Whoever comes next finishes what is left. */
const STOP_MS = 5_000

/** Pause after an error nobody expected, in milliseconds. */
const RESTART_MS = 1_000

export interface LoaderParts extends LoadParts {
  /** Milliseconds without a new announcement after which a stream that another writer took is taken back. */
  takeoverMs: number
}

export interface Loader {
  /** Finishes the block at hand, within 5 s. */
  stop(): Promise<void>
  /** Whether it reads its stream, or stands by while another process does. */
  readonly ready: boolean
}

/** Loads one stream into its table, each message once, until it is stopped. */
export function startLoader(parts: LoaderParts): Loader {
  const { spec, position, log, takeoverMs } = parts
  const abort = new AbortController()
  let stopping = false
  let ready = false
  let reader: StreamReader | undefined

  async function run() {
    while (!stopping) {
      try {
        await loadStream(parts, abort.signal, started => {
          reader = started
          ready = true
          if (stopping) void started.stop()
        })
      } catch (error) {
        void reader?.stop()
        if (error instanceof Stopped) return
        if (error instanceof LostOwnership) {
          parts.metrics.position.remove({ stream: spec.stream })
          log.warn({ stream: spec.stream }, 'another writer owns the stream now, standing by')
          await standBy()
        } else {
          ready = false
          log.error({ err: error, stream: spec.stream }, 'loading broke off, beginning anew')
          await pause(RESTART_MS, abort.signal)
        }
      }
    }
  }

  /** Waits until nobody has announced anything for a while: the owner is idle, which makes no difference, or gone. */
  async function standBy() {
    let revision = -1
    let since = Date.now()
    while (!stopping && Date.now() - since < takeoverMs) {
      await pause(takeoverMs / 5, abort.signal)
      // Without an answer nobody can announce either: wait on.
      const known = await position.load().then(
        () => position.revision,
        () => -1,
      )
      if (known !== revision) since = Date.now()
      revision = known
    }
  }

  const running = run().catch(error => {
    if (!(error instanceof Stopped)) throw error
  })
  return {
    async stop() {
      stopping = true
      void reader?.stop()
      let timer: NodeJS.Timeout | undefined
      const deadline = new Promise<void>(resolve => {
        timer = setTimeout(resolve, STOP_MS)
      })
      await Promise.race([running, deadline])
      clearTimeout(timer)
      abort.abort()
    },
    get ready() {
      return ready
    },
  }
}
