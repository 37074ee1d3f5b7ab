/** Messages in a batch, as in the measurements this bench is compared with. */
export declare const BATCH_SIZE = 20
/**
 * Bodies of `POST /v1/batch` of 20 events of about 300 bytes, each with ids of its own: a body sent twice would be
 * dropped as a duplicate and cost the server less. `next` writes new ids into one buffer, which costs the load
 * generator almost nothing; whoever keeps a body copies it.
 *
 * @param run distinguishes the ids of several generators
 * @param now milliseconds since the epoch
 */
export declare function createBodies(
  run: string,
  now: number,
): {
  next(): Buffer
}
