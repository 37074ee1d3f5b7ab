/** Runs `work` for each item, at most `limit` at once, in order of their beginning. */
export async function forEachAtOnce<T>(limit: number, items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const remaining = items.values()
  const worker = async () => {
    for (const item of remaining) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
}
