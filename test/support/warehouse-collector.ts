import { fileURLToPath } from 'node:url'
import { createCollector } from '@slotstream/collector'
import type { World } from '../integration/warehouse-world.js'
import { until } from './until.js'

/** A collector on the broker of a warehouse's world, in this process. */
export async function startWarehouseCollector({
  nats,
  installation,
  log,
}: Pick<World, 'nats' | 'installation' | 'log'>) {
  const folder = fileURLToPath(new URL('../../examples/demo', import.meta.url))
  const collector = createCollector({
    nats,
    installation,
    adminToken: 'secret',
    demoDir: folder,
    sdkFile: `${folder}/dom.js`,
    log,
  })
  const url = `http://127.0.0.1:${await collector.listen(0, '127.0.0.1')}`
  await until(
    'the collector is ready',
    () => fetch(`${url}/readyz`),
    response => response.ok,
  )
  return {
    url,
    stop: () => collector.stop(),
    /** Sends a batch; resolves to how many messages were accepted. */
    async send(key: string, batch: object[], more: object = {}): Promise<number> {
      const response = await fetch(`${url}/v1/batch`, {
        method: 'POST',
        headers: { Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
        body: JSON.stringify({ batch, ...more }),
      })
      return ((await response.json()) as { accepted: number }).accepted
    },
  }
}
