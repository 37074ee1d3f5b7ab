/**
 * Creates an array that is lent again and again, for as long as one calculation takes. A decision needs a dozen of
 * them, and one that is created each time is memory outside of the heap, which takes longer to get and to give back
 * than to fill.
 *
 * @returns a function that returns it, with so many numbers, of which each is whatever it was before
 */
export function createWorkspace(): (length: number) => Float64Array {
  let array = new Float64Array(256)
  let lent = array
  return length => {
    if (array.length < length) array = new Float64Array(2 * length)
    if (lent.length !== length || lent.buffer !== array.buffer) lent = array.subarray(0, length)
    return lent
  }
}
