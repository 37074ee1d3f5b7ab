import { ClickHouseException } from '../../errors.js'

/** A bounded number of places, with a bounded queue in front. */
export interface Lane {
  /** Waits for a place, in order of arrival; the returned function gives it back. Rejects when the queue is full. */
  enter(signal: AbortSignal): Promise<() => void>
}

/**
 * @param places how many may be inside at once
 * @param queue how many may wait; the next one is rejected with TOO_MANY_SIMULTANEOUS_QUERIES (202)
 */
export function createLane(places: number, queue: number): Lane {
  let free = places
  const waiting: (() => void)[] = []

  function place(): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }

  return {
    async enter(signal) {
      signal.throwIfAborted()
      if (free > 0) {
        free--
        return place()
      }
      if (waiting.length >= queue) {
        throw new ClickHouseException(
          202,
          'TOO_MANY_SIMULTANEOUS_QUERIES',
          `Too many simultaneous queries: ${places} are running and ${queue} are waiting. Try again later`,
        )
      }
      await new Promise<void>((resolve, reject) => {
        const turn = (): void => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = (): void => {
          waiting.splice(waiting.indexOf(turn), 1)
          reject(signal.reason)
        }
        waiting.push(turn)
        signal.addEventListener('abort', leave, { once: true })
      })
      return place()
    },
  }
}
