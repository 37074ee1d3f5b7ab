import { readFileSync } from 'node:fs'
import { createMetrics } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { createCollectorMetrics } from '#collector/metrics.js'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const page = read('docs/collector.md')

describe('the documentation of collectors', () => {
  it('names every metric there is, with its labels, and none that is not', async () => {
    const { registry } = createCollectorMetrics(createMetrics(), {
      requests: () => 0,
      bytes: () => 0,
      visitorShare: () => 1,
    })
    const own = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('slotstream_'))
    const real = own.map(metric => {
      const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] }
      return labelNames.length > 0 ? `${name}{${labelNames}}` : name
    })
    const documented = [...page.matchAll(/`(slotstream_\w+(\{\w+(,\w+)*\})?)`/g)].map(([, name]) => name)
    expect(documented.toSorted()).toEqual(real.toSorted())
  })

  it('names every setting there is', () => {
    const sources = ['collector/settings.ts', 'collector/main.ts'].map(read).join()
    const settings = [...sources.matchAll(/Setting\('([A-Z_]+)'/g)].map(([, name]) => name as string)
    expect(settings.length).toBeGreaterThan(8)
    expect(settings.filter(name => !page.includes(`\`${name}\``))).toEqual([])
  })

  it('gives the nginx configuration that the test of a rolling restart uses', () => {
    const tested = read('test/support/nginx.ts')
    const [, configuration = ''] = /```nginx\n(.*?)```/s.exec(page) ?? []
    const lines = [...configuration.matchAll(/^ +(proxy_.*;|keepalive .*;|client_.*;)$/gm)].map(([, line]) => line)
    expect(lines.length).toBeGreaterThan(8)
    // It runs what stands here, rather than a copy.
    expect(tested).toContain('docs/collector.md')
    expect(tested).not.toMatch(/proxy_pass|proxy_set_header/)
  })
})
