export type Log = (...details: unknown[]) => void

/** Runs code that must not throw into the page. What it throws goes to the log of `debug`. */
export function guard<T>(log: Log, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    log(error)
    return undefined
  }
}
