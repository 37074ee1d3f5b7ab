import { type Skew, visitorText } from '@slotstream/protocol'
import { type HeavyHitters, heavyHitters } from './heavy-hitters.js'

/** The window has two halves: the older one leaves when the younger one is full. Milliseconds. */
const HALF_MS = 150_000

/** Visitors watched at a time; each with more than a 256th of the messages is surely among them. */
const CAPACITY = 256

/** Visitors reported. */
const TOP = 10

/** Watches how messages are spread over partitions and visitors within the last minutes. */
export interface SkewTracker {
  add(partition: number, siteId: string, visitorId: string, messages: number): void
  read(): Skew
}

interface Half {
  began: number
  keys: HeavyHitters
  partitions: Map<number, number>
}

/** @param now milliseconds since the epoch */
export function createSkewTracker(now: () => number = Date.now): SkewTracker {
  let older: Half | undefined
  let younger = begin()

  function begin(): Half {
    return { began: now(), keys: heavyHitters(CAPACITY), partitions: new Map() }
  }

  function turn(): void {
    const age = now() - younger.began
    if (age < HALF_MS) return
    older = age < 2 * HALF_MS ? younger : undefined
    younger = begin()
  }

  return {
    add(partition, siteId, visitorId, messages) {
      turn()
      younger.keys.add(visitorText(siteId, visitorId), messages)
      younger.partitions.set(partition, (younger.partitions.get(partition) ?? 0) + messages)
    },
    read() {
      turn()
      const halves = older ? [older, younger] : [younger]
      const partitions = new Map<number, number>()
      const keys = new Map<string, { messages: number; error: number }>()
      for (const half of halves) {
        for (const [partition, messages] of half.partitions)
          partitions.set(partition, (partitions.get(partition) ?? 0) + messages)
        for (const { key, weight, error } of half.keys.top(CAPACITY)) {
          const sum = keys.get(key) ?? { messages: 0, error: 0 }
          keys.set(key, { messages: sum.messages + weight, error: sum.error + error })
        }
      }
      return {
        windowSeconds: Math.round((now() - halves[0]!.began) / 1000),
        messages: halves.reduce((sum, half) => sum + half.keys.total, 0),
        partitions: [...partitions].sort(([a], [b]) => a - b),
        keys: [...keys]
          .sort(([, a], [, b]) => b.messages - a.messages)
          .slice(0, TOP)
          .map(([key, sum]) => {
            const [siteId = '', visitorId = ''] = key.split('\0')
            return { siteId, visitorId, ...sum }
          }),
      }
    },
  }
}
