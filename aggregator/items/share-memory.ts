/** A matrix, and the memory that it needs. */
export interface MatrixMemory {
  key: string
  siteId: string
  bytes: number
}

/**
 * Returns the keys of the matrices that have room. When not all have, each site has an equal part, and what some leave
 * of theirs is shared by the others: so the sites that ask for most are rejected first, and none is crowded out. Within
 * a site the smallest come first, and so do they in what is left at the end.
 */
export function shareMemory(matrices: readonly MatrixMemory[], maxBytes: number): Set<string> {
  const sites = new Map<string, MatrixMemory[]>()
  for (const matrix of [...matrices].sort(bySize))
    sites.set(matrix.siteId, [...(sites.get(matrix.siteId) ?? []), matrix])
  const demands = [...sites.values()]
    .map(matrices => ({ matrices, bytes: matrices.reduce((sum, { bytes }) => sum + bytes, 0) }))
    .sort((a, b) => a.bytes - b.bytes || (a.matrices[0]!.siteId < b.matrices[0]!.siteId ? -1 : 1))
  const granted = new Set<string>()
  let left = maxBytes
  for (const [index, { matrices }] of demands.entries()) {
    let share = left / (demands.length - index)
    for (const { key, bytes } of matrices) {
      if (bytes > share) break
      share -= bytes
      left -= bytes
      granted.add(key)
    }
  }
  for (const { key, bytes } of [...matrices].sort(bySize)) {
    if (granted.has(key) || bytes > left) continue
    left -= bytes
    granted.add(key)
  }
  return granted
}

function bySize(a: MatrixMemory, b: MatrixMemory): number {
  return a.bytes - b.bytes || (a.key < b.key ? -1 : 1)
}
