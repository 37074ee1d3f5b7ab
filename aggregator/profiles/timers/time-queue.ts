/** A queue of items by time, earliest first. */
export interface TimeQueue<T> {
  /** Adds an item that is to be looked at from `at` on, in milliseconds since the epoch. */
  add(at: number, item: T): void
  /** Removes and returns the earliest item that is due; undefined: there is none. */
  take(now: number): T | undefined
  readonly size: number
}

/** Creates an empty queue: a heap, so that adding and taking cost the logarithm of what waits. */
export function createTimeQueue<T>(): TimeQueue<T> {
  const heap: { at: number; item: T }[] = []
  const atOf = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY

  function swap(a: number, b: number): void {
    const moved = heap[a]!
    heap[a] = heap[b]!
    heap[b] = moved
  }

  function rise(from: number): void {
    for (let index = from; index > 0; ) {
      const parent = (index - 1) >> 1
      if (atOf(parent) <= atOf(index)) return
      swap(parent, index)
      index = parent
    }
  }

  function sink(): void {
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const child = atOf(left + 1) < atOf(left) ? left + 1 : left
      if (atOf(index) <= atOf(child)) return
      swap(index, child)
      index = child
    }
  }

  return {
    add(at, item) {
      heap.push({ at, item })
      rise(heap.length - 1)
    },
    take(now) {
      if (atOf(0) > now) return undefined
      const { item } = heap[0]!
      const last = heap.pop()!
      if (heap.length > 0) {
        heap[0] = last
        sink()
      }
      return item
    },
    get size() {
      return heap.length
    },
  }
}
