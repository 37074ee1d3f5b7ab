import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds: from a fast in-memory answer to a stuck disk. */
const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/**
 * A process's Prometheus registry: every metric is `slotstream_<name>`. Node's own metrics are in it. Asked for a
 * metric a second time, it gives the same one, so that roles of one process can share it.
 */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const made = <M>(name: string, help: string, labelNames: string[], make: (options: MetricOptions) => M): M => {
    const full = `slotstream_${name}`
    return (
      (registry.getSingleMetric(full) as M | undefined) ?? make({ name: full, help, labelNames, registers: [registry] })
    )
  }
  const histogram = (name: string, help: string, buckets: number[], labels: string[] = []) =>
    made(name, help, labels, options => new Histogram({ ...options, buckets }))
  return {
    registry,
    counter: (name: string, help: string, labels: string[] = []) =>
      made(name, help, labels, options => new Counter(options)),
    tally: (name: string, help: string, labels: string[] = []): Tally =>
      made(name, help, labels, options => new TallyingCounter(options)),
    gauge: (name: string, help: string, labels: string[] = []) =>
      made(name, help, labels, options => new Gauge(options)),
    seconds: (name: string, help: string, labels: string[] = []) => histogram(name, help, SECONDS, labels),
    histogram,
  }
}

/** One series of a counter that is counted very often. */
export interface Series {
  inc(by?: number): void
}

export interface Tally {
  /** The series with these values of the counter's labels; to be kept, since finding it takes longer than counting. */
  series(...labels: string[]): Series
}

/** A counter whose series are plain numbers until Prometheus asks: prom-client itself looks for the series each time. */
class TallyingCounter extends Counter implements Tally {
  readonly #series: { labels: string[]; count: number }[] = []

  constructor(options: MetricOptions) {
    super({ ...options, collect: () => this.#tell() })
  }

  series(...labels: string[]): Series {
    const one = { labels, count: 0 }
    this.#series.push(one)
    return {
      inc(by = 1) {
        one.count += by
      },
    }
  }

  #tell() {
    for (const one of this.#series) {
      this.labels(...one.labels).inc(one.count)
      one.count = 0
    }
  }
}

interface MetricOptions {
  name: string
  help: string
  labelNames: string[]
  registers: Registry[]
}

export type Metrics = ReturnType<typeof createMetrics>
