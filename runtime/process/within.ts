/**
 * Waits for a promise, but not for ever. What comes later is left alone, an error too.
 *
 * @param ms time limit in milliseconds; 0 or less takes only what is there already
 * @returns the value, boxed because it may be undefined; undefined when the time is over
 * @throws what the promise rejects with in time
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<{ value: T } | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, Math.max(0, ms), undefined)
  })
  try {
    return await Promise.race([promise.then(value => ({ value })), late])
  } finally {
    clearTimeout(timer)
  }
}
