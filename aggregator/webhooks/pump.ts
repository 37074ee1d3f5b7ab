import { pause } from '@slotstream/runtime'
import type { AtOnce } from './at-once.js'
import type { WebhookMetrics } from './metrics.js'
import type { Partition } from './partition/partition.js'

/** Time between two looks at what is due, and pause after one, in milliseconds. */
const LOOK_MS = 250
const SETTLE_MS = 2

/** Time between two measurements, in milliseconds. */
const MEASURE_MS = 1_000

export interface PumpDeps {
  partitions: () => Partition[]
  atOnce: AtOnce
  metrics: WebhookMetrics
  now: () => number
}

/** Begins the attempts that are due. */
export interface Pump {
  /** Looks at once, because there may be more to do. */
  wake(): void
  stop(): Promise<void>
}

/** Creates the pump of a process, which looks four times a second and when it is woken, until it is stopped. */
export function createPump({ partitions, atOnce, metrics, now }: PumpDeps): Pump {
  let isStopped = false
  let rotation = 0
  let measuredAt = 0
  let wake = () => {}
  const running = run()

  async function run(): Promise<void> {
    while (!isStopped) {
      const woken = new Promise<void>(resolve => {
        wake = resolve
      })
      begin()
      if (performance.now() - measuredAt > MEASURE_MS) measure()
      await Promise.race([woken, pause(LOOK_MS)])
      await pause(SETTLE_MS)
    }
  }

  function begin(): void {
    const all = partitions()
    // Each begins first in its turn, so that none is left out while a webhook has as many requests as it may have.
    rotation = (rotation + 1) % Math.max(1, all.length)
    for (const partition of [...all.slice(rotation), ...all.slice(0, rotation)])
      for (const each of partition.webhooks()) {
        const { queue, webhook } = each
        while (queue.size > 0 && atOnce.enter(webhook.webhookId)) {
          const pending = queue.take(now())
          if (!pending) {
            atOnce.leave(webhook.webhookId)
            break
          }
          void partition.attempt(each, pending).finally(() => {
            atOnce.leave(webhook.webhookId)
            wake()
          })
        }
      }
  }

  function measure(): void {
    measuredAt = performance.now()
    const webhooks = partitions().flatMap(partition => [...partition.webhooks()])
    const sum = (count: (each: (typeof webhooks)[number]) => number) =>
      webhooks.reduce((total, each) => total + count(each), 0)
    const oldest = webhooks.reduce((least, { queue }) => Math.min(least, queue.oldest ?? least), now())
    metrics.pending.set(sum(({ queue }) => queue.size))
    metrics.oldest.set(Math.max(0, now() - oldest) / 1_000)
    metrics.behind.set(sum(({ isLive }) => (isLive ? 0 : 1)))
    metrics.letters.set(sum(({ letters }) => letters.size))
  }

  return {
    wake: () => wake(),
    stop() {
      isStopped = true
      wake()
      return running
    },
  }
}
