import { parentPort, workerData } from 'node:worker_threads'
import { createLearner } from './learner.js'
import type { LearningWork } from './learning-thread.js'
import type { Answers, Request, ThreadMessage } from './messages.js'

/** Pause while no model is due, in milliseconds. */
const IDLE_MS = 50

/** Least pause between two models, in milliseconds, in which waiting messages are processed. */
const LEAST_MS = 1

/**
 * Pause after a model, as a multiple of the time that it took, so that fitting leaves time for other work.
 */
const REST = 2

// Runs in a thread of its own, so that decisions need not wait while models are fitted.
const port = parentPort!
const tell = (message: ThreadMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)
const learner = createLearner(tell, workerData as LearningWork)

/** Chain of requests, which are answered one after the other. */
let answering = Promise.resolve()
port.on('message', (request: Request) => {
  answering = answering.then(async () => {
    try {
      tell({ type: 'answer', value: await answer(request) })
    } catch (error) {
      tell({ type: 'failure', message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
})

async function answer(request: Request): Promise<Answers[Request['type']]> {
  switch (request.type) {
    case 'load':
      return learner.load(request.chunks)
    case 'fold':
      return learner.fold(request.messages)
    case 'save':
      return learner.save()
  }
}

function work(): void {
  const started = performance.now()
  const worked = learner.work()
  setTimeout(work, worked ? Math.max(LEAST_MS, REST * (performance.now() - started)) : IDLE_MS)
}
work()
