/** Longest name that is compared, in characters. */
const LONGEST = 64

/** Letters at the beginning by which words are near, such as `start` and `startsat`, `explore` and `exploration`. */
const BEGINNING = 5

/** Finds the known name that a name is probably meant for. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined
  const plain = plainOf(name)
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const meant of names) {
    const most = Math.max(1, Math.floor(meant.length / 3))
    const distance = distanceOf(plain, plainOf(meant), Math.min(most, least))
    if (distance > most || distance >= least) continue
    best = meant
    least = distance
  }
  return best
}

/**
 * Counts the letters to insert, delete or replace that make one word of another (Levenshtein).
 *
 * @param most beyond which any greater number may be returned. Default: it is counted to the end
 */
export function editDistance(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  // One row of the table, changed in place: names are compared by the ten thousand.
  const row = new Uint16Array(b.length + 1)
  for (let j = 1; j <= b.length; j++) row[j] = j
  for (let i = 1; i <= a.length; i++) {
    const letter = a.charCodeAt(i - 1)
    let diagonal = row[0]!
    let least = i
    row[0] = i
    for (let j = 1; j <= b.length; j++) {
      const above = row[j]!
      const replaced = letter === b.charCodeAt(j - 1) ? diagonal : diagonal + 1
      const cell = Math.min(row[j - 1]! + 1, above + 1, replaced)
      row[j] = cell
      if (cell < least) least = cell
      diagonal = above
    }
    if (least > most) return most + 1
  }
  return row[b.length]!
}

/** Returns whether two words differ by two neighbours in each other's place: `cuont` is one slip of `count`. */
function isSwapped(name: string, meant: string): boolean {
  if (name.length !== meant.length) return false
  let at = 0
  while (at < name.length && name[at] === meant[at]) at++
  return (
    at + 1 < name.length &&
    name[at] === meant[at + 1] &&
    name[at + 1] === meant[at] &&
    name.slice(at + 2) === meant.slice(at + 2)
  )
}

/**
 * Measures how far two names are from one another: those that begin alike by one letter at most, by less the nearer
 * their ends are.
 *
 * @param most beyond which any greater number may be returned: sets of hundreds of names are compared
 */
function distanceOf(name: string, meant: string, most: number): number {
  if (isSwapped(name, meant)) return 1
  const isAlike = name.length >= BEGINNING && name.slice(0, BEGINNING) === meant.slice(0, BEGINNING)
  return isAlike ? editDistance(name, meant, most * LONGEST) / LONGEST : editDistance(name, meant, most)
}

/** `starts_at` and `StartsAt` are `startsAt`. */
function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}
