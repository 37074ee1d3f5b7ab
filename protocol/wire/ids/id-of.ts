/** Segment's libraries send null for an id they don't have, and servers send the numbers of their databases. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : ((value as string | null) ?? undefined)
}
