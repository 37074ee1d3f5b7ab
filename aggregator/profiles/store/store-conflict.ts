/** A write that expected another revision than the store has: another process wrote, or an answer was lost. */
export class StoreConflict extends Error {
  override name = 'StoreConflict'
  readonly code = 'conflict'
}
