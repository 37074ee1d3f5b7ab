import { FAULT_MS, type Fault } from './faults.js'
import type { ChaosInstallation } from './installation.js'
import type { Random } from './random.js'

/**
 * Lets things go wrong, one after the other and sometimes two at once, for `seconds`. Everything is whole again when
 * it resolves, to what happened, one line each.
 *
 * @param calmMs longest pause between two faults
 * @param atOnce most faults at the same time
 * @param untilNext resolves when the next may come. Default: at once
 */
export async function storm(
  installation: ChaosInstallation,
  faults: readonly Fault[],
  random: Random,
  {
    seconds,
    calmMs = 3_000,
    atOnce = 2,
    untilNext = async () => {},
  }: { seconds: number; calmMs?: number; atOnce?: number; untilNext?: () => Promise<unknown> },
): Promise<string[]> {
  const happened: string[] = []
  const begin = Date.now()
  const second = () => ((Date.now() - begin) / 1000).toFixed(1).padStart(6)
  // Each once, in a random order, before any comes again: a short run has had them all.
  let left: Fault[] = []
  while (Date.now() - begin < seconds * 1000) {
    if (left.length === 0) left = [...faults]
    const count = random.next() < 0.3 ? atOnce : 1
    const chosen = Array.from({ length: Math.min(count, left.length) }, () =>
      left.splice(random.int(0, left.length - 1), 1),
    ).flat()
    const running = chosen.flatMap(fault => {
      const begun = fault.begin(installation, random)
      if (!begun) return []
      happened.push(`${second()} s  ${fault.name}: ${begun.what}`)
      return begun.end ? [begun.end] : []
    })
    await pause(random.int(FAULT_MS.min, FAULT_MS.max))
    for (const end of running) end()
    await pause(random.int(0, calmMs))
    await untilNext()
  }
  return happened
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
