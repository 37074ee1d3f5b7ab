/** Longest name that is compared, in characters. */
const LONGEST = 64

/** Letters at the beginning by which words are near, such as `start` and `startsat`, `explore` and `exploration`. */
const BEGINNING = 5

/** Finds the known name that a name is probably meant for. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined
  const plain = plainOf(name)
  const [best] = known
    .map(meant => ({ meant, distance: distanceOf(plain, plainOf(meant)) }))
    .filter(({ meant, distance }) => distance <= Math.max(1, meant.length / 3))
    .sort((one, other) => one.distance - other.distance)
  return best?.meant
}

/** Counts the letters to insert, delete or replace that make one word of another (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    previous = row
  }
  return previous[b.length]!
}

function distanceOf(name: string, meant: string): number {
  const isAlike = name.length >= BEGINNING && name.slice(0, BEGINNING) === meant.slice(0, BEGINNING)
  return isAlike ? 1 : editDistance(name, meant)
}

/** `starts_at` and `StartsAt` are `startsAt`. */
function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}
