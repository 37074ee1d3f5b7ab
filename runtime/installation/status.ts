import { hostname } from 'node:os'
import { createInbox } from '@nats-io/transport-node'
import { type ProcessReport, parseReport, parseStored, type Sample, STATUS_SUBJECT } from '@slotstream/protocol'
import type { Nats } from '../nats/connection/nats.js'
import type { Log } from '../process/log.js'
import type { Metrics } from '../process/metrics.js'
import { pause } from '../process/retry.js'
import { VERSION } from '../process/version.js'

const PREFIX = 'slotstream_'

/** Answers requests for this process's status. `more` is what it says beyond its metrics. */
export function answerStatus({
  nats,
  part,
  roles = [],
  metrics,
  log,
  more = () => ({ lags: [] }),
}: {
  nats: Pick<Nats, 'connection'>
  part: string
  roles?: string[]
  metrics: Pick<Metrics, 'registry'>
  log: Log
  more?: () => Pick<ProcessReport, 'lags' | 'troubles' | 'skew'>
}): { stop(): void } {
  const startedAt = new Date(Date.now() - process.uptime() * 1000).toISOString()
  const id = `${hostname()}:${process.pid}`
  const subscription = nats.connection.subscribe(STATUS_SUBJECT, {
    callback(error, message) {
      if (error) return log.warn({ err: error }, 'requests for the status cannot be received')
      samplesOf(metrics)
        .then(samples => {
          const report: ProcessReport = { part, id, version: VERSION, startedAt, roles, ...more(), samples }
          message.respond(JSON.stringify(report))
        })
        .catch(failure => log.warn({ err: failure }, 'the status could not be reported'))
    },
  })
  return { stop: () => subscription.unsubscribe() }
}

/** Asks all processes how they are; resolves after `waitMs` milliseconds with what they answered. */
export async function gatherStatus(
  { connection, inboxPrefix }: Pick<Nats, 'connection' | 'inboxPrefix'>,
  waitMs = 300,
): Promise<ProcessReport[]> {
  const reports: ProcessReport[] = []
  const inbox = createInbox(inboxPrefix)
  const subscription = connection.subscribe(inbox, {
    callback(error, message) {
      // Without a subscriber the server answers by itself, with no data.
      const parsed = !error && message.data.length > 0 ? parseStored(message.data, parseReport) : undefined
      if (parsed?.ok) reports.push(parsed.value)
    },
  })
  connection.publish(STATUS_SUBJECT, '', { reply: inbox })
  await pause(waitMs)
  subscription.unsubscribe()
  return reports
}

/** Returns our own metrics' values. Of histograms the sums and counts; lags are reported apart. */
async function samplesOf({ registry }: Pick<Metrics, 'registry'>): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const { name: metric, values } of await registry.getMetricsAsJSON())
    for (const value of values) {
      const name = 'metricName' in value && typeof value.metricName === 'string' ? value.metricName : metric
      if (!name.startsWith(PREFIX) || name.endsWith('_bucket') || 'partition' in value.labels) continue
      samples.push({ name: name.slice(PREFIX.length), labels: labelsOf(value.labels), value: value.value })
    }
  return samples
}

function labelsOf(labels: Partial<Record<string, string | number>>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value ?? '']))
}
