/** The store has another revision than the expected one: another process wrote, or an answer was lost. */
export class StoreConflict extends Error {
  override name = 'StoreConflict'
  readonly code = 'conflict'
}
