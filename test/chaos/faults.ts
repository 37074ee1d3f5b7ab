import type { ChaosInstallation } from './installation.js'
import type { Random } from './random.js'

/** Something that goes wrong for a while, or once. */
export interface Fault {
  name: string
  /** Begins it; what it returns ends it. Undefined when it isn't possible here. */
  begin(installation: ChaosInstallation, random: Random): { what: string; end?: () => void } | undefined
}

const HOUR_MS = 3_600_000

/** Longer than it takes until another aggregator may take over what a silent one owns. */
export const FAULT_MS = { min: 500, max: 6_000 }

/** Everything that can go wrong with one nats-server. */
export const FAULTS: Fault[] = [
  {
    name: 'SIGKILL',
    begin(installation, random) {
      const victim = random.pick(installation.programs)
      victim.kill()
      return { what: victim.name }
    },
  },
  {
    name: 'restart',
    begin(installation, random) {
      const victim = random.pick(installation.programs)
      victim.restart()
      return { what: victim.name }
    },
  },
  {
    name: 'SIGSTOP',
    begin(installation, random) {
      const victim = random.pick(installation.programs)
      victim.pause()
      return { what: victim.name, end: victim.resume }
    },
  },
  {
    name: 'cable cut',
    begin({ collectors, aggregators }, random) {
      const { name, cable } = random.pick([...collectors, ...aggregators])
      cable?.cut()
      return cable && { what: `${name} to NATS`, end: cable.mend }
    },
  },
  {
    name: 'cable silent',
    begin({ collectors, aggregators }, random) {
      const { name, cable } = random.pick([...collectors, ...aggregators])
      cable?.silence()
      return cable && { what: `${name} to NATS`, end: cable.mend }
    },
  },
  {
    name: 'ClickHouse refuses inserts',
    begin({ proxies }, random) {
      const proxy = random.pick(proxies)
      proxy.set('refuse')
      return { what: `aggregator-${proxies.indexOf(proxy) + 1}`, end: () => proxy.set('open') }
    },
  },
  {
    name: 'answers to inserts are lost',
    begin({ proxies }) {
      for (const proxy of proxies) proxy.set('lose')
      return {
        what: 'both aggregators',
        end: () => {
          for (const proxy of proxies) proxy.set('open')
        },
      }
    },
  },
  {
    name: 'clock steps',
    begin({ collectors, aggregators, setClock }, random) {
      const { name } = random.pick([...collectors, ...aggregators])
      const skewMs = random.int(-2 * HOUR_MS, 2 * HOUR_MS)
      setClock(name, skewMs)
      return { what: `${name} by ${Math.round(skewMs / 1000)} s`, end: () => setClock(name, 0) }
    },
  },
  {
    name: 'disk full',
    begin({ disk, nats }) {
      disk?.fill()
      return (
        disk && {
          what: 'under nats-server',
          end: () => {
            disk.free()
            // nats-server 2.9 locks itself up when a write fails, and heeds no SIGTERM then. `npm start` notices after
            // a minute and kills it; here it is done at once.
            for (const server of nats) server.kill()
          },
        }
      )
    },
  },
]

/** SIGKILL of one of several, which the others must make up for. */
export function killOneOf(group: 'collectors' | 'aggregators' | 'nats'): Fault {
  return {
    name: 'SIGKILL',
    begin(installation, random) {
      const victim = random.pick(installation[group])
      victim.kill()
      return { what: victim.name }
    },
  }
}
