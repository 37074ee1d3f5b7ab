/** Asks for a slot again and again, as pages do, of whichever collector answers, and counts how it went. */
export function startAsking(collectorUrls: string[]) {
  const outcomes: Record<string, number> = {}
  let stopped = false
  let asked = 0

  async function ask(url: string): Promise<string> {
    const response = await fetch(`${url}/v1/slots?writeKey=chaos`, {
      method: 'POST',
      body: JSON.stringify({ anonymousId: `asker-${asked++ % 40}`, slots: [{ id: 'hero' }] }),
      signal: AbortSignal.timeout(5_000),
    })
    const { decisions } = (await response.json()) as { decisions: { outcome: string }[] }
    return decisions[0]!.outcome
  }

  async function askAny(): Promise<string> {
    for (const url of collectorUrls) {
      const outcome = await ask(url).catch(() => undefined)
      if (outcome) return outcome
    }
    return 'no answer'
  }

  const asking = (async () => {
    while (!stopped) {
      const outcome = await askAny()
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  })()
  return {
    ask: askAny,
    /** Outcomes so far, each with how often it came; `no answer` when neither collector said anything. */
    outcomes,
    async stop(): Promise<void> {
      stopped = true
      await asking
    },
  }
}
