import { Worker } from 'node:worker_threads'
import type { Answers, News, Request, ThreadMessage } from './messages.js'

/** The thread that learns, as the main thread sees it. */
export interface LearningThread {
  /** Sends a request and resolves to its answer. @throws Error with the failure there, or if the thread has ended */
  ask<Type extends Request['type']>(request: Extract<Request, { type: Type }>): Promise<Answers[Type]>
  stop(): Promise<void>
}

/** Input that the thread is started with. */
export interface LearningWork {
  /** Memory that the sums of all slots may take, in bytes. */
  maxBytes: number
}

/** Heap of the thread beside its sums, in MB: for models, and messages that are being read. */
const OTHER_HEAP_MB = 256

/** Returns the heap limit of the thread, in MB: writing a snapshot takes the sums once more, as text. */
export function heapMbFor(maxBytes: number): number {
  return Math.ceil((2 * maxBytes) / 2 ** 20) + OTHER_HEAP_MB
}

/** A request that has no answer yet. */
interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * Starts the thread that learns.
 *
 * @param maxBytes memory that the sums of all slots may take, in bytes
 * @param onNews is called with models as they are fitted, and other news
 * @param onEnd is called when the thread has ended by itself, for example because its memory is full
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
