/**
 * Makes the function that tells what a bench has done so far: a long run that is cut short has not been for nothing.
 */
export function progressOf(bench: string): (what: string) => void {
  return what => console.error(`${bench}: ${what}`)
}
