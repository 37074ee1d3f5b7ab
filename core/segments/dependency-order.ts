/** Result of ordering: names, each after those that it depends on, or the circles that make it impossible. */
export type Ordered = { ok: true; order: string[] } | { ok: false; circles: string[][] }

/**
 * Orders names so that each comes after those it depends on, otherwise as they are given.
 *
 * @param dependencies of each name; those that are no name themselves are left out
 * @returns in `circles`, each circle once, its first name again at its end
 */
export function dependencyOrder(dependencies: ReadonlyMap<string, readonly string[]>): Ordered {
  const order: string[] = []
  const circles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []

  const visit = (name: string): void => {
    if (done.has(name) || !dependencies.has(name)) return
    const start = path.indexOf(name)
    if (start !== -1) {
      circles.push([...path.slice(start), name])
      return
    }
    path.push(name)
    for (const dependency of dependencies.get(name)!) visit(dependency)
    path.pop()
    done.add(name)
    order.push(name)
  }

  for (const name of dependencies.keys()) visit(name)
  return circles.length > 0 ? { ok: false, circles } : { ok: true, order }
}
