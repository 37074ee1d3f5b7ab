import { Worker } from 'node:worker_threads'
import type { Answers, News, Request, ThreadMessage } from './messages.js'

/** The thread that learns, as the main thread sees it. */
export interface LearningThread {
  /** Asks it for something. @throws what went wrong there, or that it has ended */
  ask<Type extends Request['type']>(request: Extract<Request, { type: Type }>): Promise<Answers[Type]>
  stop(): Promise<void>
}

/** All that the thread is started with. */
export interface LearningWork {
  /** Bytes that the sums of all slots may take. */
  maxBytes: number
}

/** Heap of the thread beside its sums, in MB: models, and messages that are being read. */
const OTHER_HEAP_MB = 256

/** Returns the heap that the thread may take, in MB: a snapshot has all sums once more, as text. */
export function heapMbFor(maxBytes: number): number {
  return Math.ceil((2 * maxBytes) / 2 ** 20) + OTHER_HEAP_MB
}

/** An answer that is waited for. */
interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * Starts the thread that learns.
 *
 * @param maxBytes that the sums of all slots may take
 * @param onNews is given models as they are made
 * @param onEnd is called when the thread has ended by itself, for lack of memory, say
 */
export function startLearningThread(
  maxBytes: number,
  onNews: (news: News) => void,
  onEnd: (error: Error) => void,
): LearningThread {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { maxBytes } satisfies LearningWork,
    resourceLimits: { maxOldGenerationSizeMb: heapMbFor(maxBytes) },
  })
  // Answers come in the order of requests.
  const waiting: Waiting[] = []
  let ended: Error | undefined

  worker.on('message', (message: ThreadMessage) => {
    if (message.type === 'answer') waiting.shift()?.resolve(message.value)
    else if (message.type === 'failure') waiting.shift()?.reject(new Error(message.message))
    else onNews(message)
  })
  worker.on('error', end)
  worker.on('exit', () => end(new Error('the thread that learns has ended')))

  function end(error: Error): void {
    if (ended) return
    ended = error
    for (const { reject } of waiting.splice(0)) reject(error)
    onEnd(error)
  }

  return {
    ask: request =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended)
        waiting.push({ resolve: resolve as Waiting['resolve'], reject })
        worker.postMessage(request)
      }),
    async stop() {
      ended ??= new Error('the thread that learns was stopped')
      for (const { reject } of waiting.splice(0)) reject(ended)
      await worker.terminate()
    },
  }
}
