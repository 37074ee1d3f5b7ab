import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds: from a fast in-memory answer to a stuck disk. */
const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/** A process's Prometheus registry: every metric is `slotstream_<name>`. Node's own metrics are in it. */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const options = (name: string, help: string, labelNames: string[]) => ({
    name: `slotstream_${name}`,
    help,
    labelNames,
    registers: [registry],
  })
  return {
    registry,
    counter: (name: string, help: string, labels: string[] = []) => new Counter(options(name, help, labels)),
    gauge: (name: string, help: string, labels: string[] = []) => new Gauge(options(name, help, labels)),
    seconds: (name: string, help: string, labels: string[] = []) =>
      new Histogram({ ...options(name, help, labels), buckets: SECONDS }),
    histogram: (name: string, help: string, buckets: number[], labels: string[] = []) =>
      new Histogram({ ...options(name, help, labels), buckets }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
