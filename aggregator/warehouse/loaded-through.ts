import type { KV } from '@nats-io/kv'
import type { WarehouseMetrics } from './metrics.js'
import { completeThrough, positionKeeper } from './positions/position.js'
import type { StreamSpec } from './tables/specs.js'

/**
 * Resolves to the sequence up to which each stream is in its table: as the loader of this process says; of a stream
 * that it does not load, as the last owner announced it.
 */
export async function loadedThrough(
  specs: readonly StreamSpec[],
  metrics: Pick<WarehouseMetrics, 'position'>,
  positions: KV,
): Promise<{ stream: string; through: number }[]> {
  const { values } = await metrics.position.get()
  const throughByStream = new Map(values.map(({ labels, value }) => [String(labels.stream), value]))
  return Promise.all(
    specs.map(async spec => ({
      stream: spec.stream,
      through: throughByStream.get(spec.stream) ?? (await announcedThrough(spec, positions)),
    })),
  )
}

async function announcedThrough({ stream, positions: range }: StreamSpec, positions: KV): Promise<number> {
  const position = await positionKeeper(positions, stream).load()
  const base = (range?.first ?? 1) - 1
  const complete = completeThrough(position, base) ?? (position?.first ?? base + 1) - 1
  return Math.max(0, complete - (position?.offset ?? base))
}
