/** The store has another revision than the expected one: somebody else wrote, or an answer was lost. */
export class StoreConflict extends Error {
  override name = 'StoreConflict'
  readonly code = 'conflict'
}
