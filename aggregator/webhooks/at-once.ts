/** Counts what is under way, by name and in all. */
export interface AtOnce {
  /** Begins one more. False: there are as many as there may be. */
  enter(name: string): boolean
  leave(name: string): void
}

/** Creates the counts. @param perName bound of each name @param inAll bound of all together */
export function createAtOnce(perName: number, inAll: number): AtOnce {
  const counts = new Map<string, number>()
  let all = 0
  return {
    enter(name) {
      const count = counts.get(name) ?? 0
      if (count >= perName || all >= inAll) return false
      counts.set(name, count + 1)
      all++
      return true
    },
    leave(name) {
      const count = (counts.get(name) ?? 1) - 1
      if (count > 0) counts.set(name, count)
      else counts.delete(name)
      all--
    },
  }
}
