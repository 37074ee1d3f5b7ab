import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { skippedEntries } from '../nats/buckets/skipped-entries.js'

/** Seconds: from a fast in-memory answer to a stuck disk. */
const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/**
 * Creates a process's Prometheus registry: every metric is `slotstream_<name>`. Node's own metrics are in it. Asked for
 * a metric a second time, it gives the same one, so that roles of one process can share it.
 */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const register = <M>(name: string, help: string, labelNames: string[], make: (options: MetricOptions) => M): M => {
    const full = `slotstream_${name}`
    return (
      (registry.getSingleMetric(full) as M | undefined) ?? make({ name: full, help, labelNames, registers: [registry] })
    )
  }
  register(
    'bucket_entries_skipped_total',
    'Entries of buckets that could not be used, by bucket',
    ['bucket'],
    options => {
      return new Counter({
        ...options,
        collect() {
          this.reset()
          for (const [bucket, count] of skippedEntries()) this.inc({ bucket }, count)
        },
      })
    },
  )
  const histogram = (name: string, help: string, buckets: number[], labels: string[] = []) =>
    register(name, help, labels, options => new Histogram({ ...options, buckets }))
  return {
    registry,
    counter: (name: string, help: string, labels: string[] = []) =>
      register(name, help, labels, options => new Counter(options)),
    /** Returns a counter that also counts under the name that it had before: renamed ones keep it for a version. */
    renamedCounter({ name, formerName }: { name: string; formerName: string }, help: string, labels: string[] = []) {
      const counters = [
        register(name, help, labels, options => new Counter(options)),
        register(formerName, `Former name of slotstream_${name}`, labels, options => new Counter(options)),
      ]
      return {
        inc(labelValues: Record<string, string>, value: number) {
          for (const counter of counters) counter.inc(labelValues, value)
        },
      }
    },
    gauge: (name: string, help: string, labels: string[] = []) =>
      register(name, help, labels, options => new Gauge(options)),
    seconds: (name: string, help: string, labels: string[] = []) => histogram(name, help, SECONDS, labels),
    histogram,
  }
}

interface MetricOptions {
  name: string
  help: string
  labelNames: string[]
  registers: Registry[]
}

export type Metrics = ReturnType<typeof createMetrics>
