/**
 * Called when this process begins or ends to answer for a partition. A partition is given up only when the promise that
 * it returned for the end is resolved.
 */
export type ServingListener = (partition: number, isServing: boolean) => void | Promise<void>

/** The partitions that this process answers for. */
export interface Serving {
  has(partition: number): boolean
  /** Adds a partition, or removes it. Resolves when the listener is done with the change. */
  set(partition: number, isServing: boolean): Promise<void>
  /** Calls `listener` with the partitions answered for now, and with every change. */
  listen(listener: ServingListener): void
}

/** Creates an empty set of partitions that are answered for. */
export function createServing(): Serving {
  const partitions = new Set<number>()
  const listeners: ServingListener[] = []
  return {
    has: partition => partitions.has(partition),
    async set(partition, isServing) {
      if (isServing === partitions.has(partition)) return
      if (isServing) partitions.add(partition)
      else partitions.delete(partition)
      await Promise.all(listeners.map(listener => listener(partition, isServing)))
    },
    listen(listener) {
      listeners.push(listener)
      for (const partition of partitions) void listener(partition, true)
    },
  }
}

/** Describes what is missing until all profiles are up to date; nothing where nothing is. */
export function describeMissing(
  unowned: number,
  { partitions, messages }: { partitions: number; messages: number },
): string[] {
  return [
    ...(unowned > 0 ? [`profiles: ${unowned} partitions have no owner yet`] : []),
    ...(partitions > 0 ? [`profiles: ${partitions} partitions are still to be loaded`] : []),
    ...(messages > 0 ? [`profiles: up to ${messages} messages are still to be replayed`] : []),
  ]
}
