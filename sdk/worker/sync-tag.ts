/** What the worker has to know of a page to send what it left. */
export interface Rest {
  writeKey: string
  endpoint: string
  maxBatchBytes: number
  maxQueueAge: number
}

const PREFIX = 'slotstream '

/** The tag under which a page asks for a sync. It carries what the worker needs, because nothing else outlives the page for sure. */
export const syncTag = ({ writeKey, endpoint, maxBatchBytes, maxQueueAge }: Rest) =>
  PREFIX + JSON.stringify({ writeKey, endpoint, maxBatchBytes, maxQueueAge })

/** What a tag says; undefined when it is somebody else's. */
export function restOf(tag: string): Rest | undefined {
  if (!tag.startsWith(PREFIX)) return undefined
  try {
    return JSON.parse(tag.slice(PREFIX.length))
  } catch {
    return undefined
  }
}
