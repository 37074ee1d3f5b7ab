import { describe, expect, it, onTestFinished } from 'vitest'
import { compressedBlock, ZSTD_QUERY, ZSTD_QUERY_BYTES } from '../support/compressed-block.js'
import { nodeOfVersion } from '../support/node-of-version.js'
import { startSystem } from '../support/system.js'
import { until } from '../support/until.js'

/** What people run it on, beside the Node of this test. Downloading one takes longer than the test on it. */
const MAJORS = [22, 24, 26]
const TIMEOUT_MS = 400_000

describe('the product starts and works', () => {
  it.for(MAJORS)('on Node %i', { timeout: TIMEOUT_MS }, async (major, context) => {
    const node = await nodeOfVersion(major).catch((error: Error) => error)
    if (node instanceof Error) {
      console.warn(`Node ${major} can't be had, so the product was not tried on it: ${node.message}`)
      return context.skip(`Node ${major} can't be had`)
    }
    const system = await startSystem({}, undefined, node)
    onTestFinished(system.stop)
    const headers = { Authorization: `Basic ${btoa('demo:')}` }
    const send = (path: string, body: object) =>
      fetch(`${system.collectorUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })

    const tracked = await send('/v1/track', { anonymousId: 'v1', event: 'Started', messageId: 'm1' })
    expect(tracked.status).toBe(200)
    const slots = await send('/v1/slots', { anonymousId: 'v1', slots: [{ id: 'hero' }] })
    expect(await slots.json()).toMatchObject({ decisions: [{ slotId: 'hero', outcome: expect.stringMatching(/./) }] })
    const rows = await until(
      'the row',
      () =>
        system.query<{ event: string; visitor: string }>(
          'SELECT event, anonymous_id AS visitor FROM slotstream.events',
        ),
      found => found.length > 0,
    )
    expect(rows).toEqual([{ event: 'Started', visitor: 'v1' }])
    const body = new Uint8Array(compressedBlock(0x90, ZSTD_QUERY, ZSTD_QUERY_BYTES))
    const compressed = await fetch(`${system.clickhouseUrl}/?decompress=1`, { method: 'POST', body })
    expect(await compressed.text()).toBe('60\n')
  })
})
