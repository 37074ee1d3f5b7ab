import { createMetrics } from '@slotstream/runtime'
import { expect, it } from 'vitest'

it('counts a renamed metric under both names', async () => {
  const metrics = createMetrics()
  const counter = metrics.renamedCounter({ name: 'rejected_total', formerName: 'refused_total' }, 'Rows', ['stream'])
  counter.inc({ stream: 'EVENTS' }, 3)
  counter.inc({ stream: 'EVENTS' }, 2)
  const text = await metrics.registry.metrics()
  for (const name of ['rejected_total', 'refused_total'])
    expect(text).toContain(`slotstream_${name}{stream="EVENTS"} 5\n`)
  expect(text).toContain('# HELP slotstream_refused_total Former name of slotstream_rejected_total')
})
