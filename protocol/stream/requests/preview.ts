/** NATS request to `preview.<partition>`, from a collector to the owner of the partition. */
export interface PreviewRequest {
  siteId: string
  /** Condition over persons, as a segment has it. */
  where: unknown
  /** How long the owner may take, in milliseconds. After that it answers nothing. */
  deadlineMs: number
}

/** Bytes of a `where`, at most: its request is a message of NATS. */
export const MAX_PREVIEW_BYTES = 256 * 1024

/** Persons of one partition who would be in a segment, and who nearly would; or what is wrong with its condition. */
export type PreviewReply =
  | { size: number; in: string[]; nearest: { id: string; misses: string[] }[] }
  | { faults: string[] }
