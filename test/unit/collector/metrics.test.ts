import { createMetrics } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { createCollectorMetrics } from '#collector/metrics.js'

describe('metrics of sites', () => {
  it('are bound: the first sites have their own series, the rest share one', async () => {
    const metrics = createCollectorMetrics(
      createMetrics(),
      { requests: () => 3, bytes: () => 70, visitorShare: () => 1 },
      2,
    )
    for (const site of ['a', 'b', 'c', 'd', 'a']) metrics.ofSite(site).accepted(10)
    metrics.ofSite('c').rejected('too_deep')
    metrics.ofSite('a').violated('schema_violation')
    metrics.planInUse('a', 7)
    metrics.planInUse('c', 8)
    metrics.ofSite('a').request(500)
    const text = await metrics.text()
    const lines = text.split('\n').filter(line => line.startsWith('slotstream_'))
    for (const line of [
      'slotstream_site_messages_accepted_total{site="a"} 20',
      'slotstream_site_messages_accepted_total{site="b"} 10',
      'slotstream_site_messages_accepted_total{site="other"} 20',
      'slotstream_site_messages_rejected_total{site="other",code="too_deep"} 1',
      'slotstream_site_plan_violations_total{site="a",code="schema_violation"} 1',
      'slotstream_site_plan_revision{site="a"} 7',
      'slotstream_site_body_bytes_total{site="a"} 500',
      'slotstream_messages_accepted_total 50',
      'slotstream_messages_rejected_total{code="too_deep"} 1',
      'slotstream_http_requests_in_flight 3',
      'slotstream_http_body_bytes_in_flight 70',
    ])
      expect(lines).toContain(line)
    expect(text).not.toContain('site="c"')
  })

  it('go on from what was told before, however often they are asked for', async () => {
    const metrics = createCollectorMetrics(createMetrics(), {
      requests: () => 0,
      bytes: () => 0,
      visitorShare: () => 1,
    })
    metrics.ofSite('a').accepted(10)
    metrics.request('/v1/batch', 200)
    await metrics.text()
    await metrics.text()
    metrics.ofSite('a').accepted(5)
    metrics.request('/v1/batch', 200)
    const lines = (await metrics.text()).split('\n')
    expect(lines).toContain('slotstream_site_messages_accepted_total{site="a"} 15')
    expect(lines).toContain('slotstream_http_requests_total{route="/v1/batch",status="200"} 2')
  })
})
