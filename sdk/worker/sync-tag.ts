/** Facts of a page that the worker needs to send what the page left. */
export interface Rest {
  writeKey: string
  endpoint: string
  maxBatchBytes: number
  maxQueueAge: number
}

const PREFIX = 'slotstream '

/**
 * Returns the tag under which a page asks for a sync. It carries what the worker needs, because nothing else outlives
 * the page for sure.
 */
export const syncTag = ({ writeKey, endpoint, maxBatchBytes, maxQueueAge }: Rest) =>
  PREFIX + JSON.stringify({ writeKey, endpoint, maxBatchBytes, maxQueueAge })

/** Reads a tag; undefined when it isn't one of this package. */
export function restOf(tag: string): Rest | undefined {
  if (!tag.startsWith(PREFIX)) return undefined
  try {
    return JSON.parse(tag.slice(PREFIX.length))
  } catch {
    return undefined
  }
}
