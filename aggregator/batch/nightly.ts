import type { KV } from '@nats-io/kv'
import { isObject, nightKey } from '@slotstream/protocol'
import { type Installation, type Log, type Metrics, type Nats, parseEntry, pause, Stopped } from '@slotstream/runtime'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'

const HOUR_MS = 3_600_000

/** Time between two looks at what is due, in milliseconds. */
const LOOK_MS = 60_000

/** Work that is done once a night, by one of the processes with the role. */
export interface NightlyJob {
  /** Unique, and the same in all versions: what was done is noted under it. */
  name: string
  /** From this hour on, UTC. */
  hour: number
  /** Does the work. Rejects when it could not be done: it is tried again. */
  run(signal: AbortSignal): Promise<void>
}

export interface NightlyDeps {
  nats: Nats
  installation: Installation
  metrics: Metrics
  log: Log
  identity: Identity
  jobs: readonly NightlyJob[]
  /** The clock, in milliseconds since the epoch, and the time between two looks. Default: the system's, a minute */
  now?: () => number
  everyMs?: number
}

/** Does jobs in their nights, each in one process, until it is stopped. A new installation's first night is the next one. */
export async function startNightly(deps: NightlyDeps): Promise<{ stop(): Promise<void> }> {
  const { nats, installation, metrics, log, identity, jobs, now = Date.now, everyMs = LOOK_MS } = deps
  const { positions } = installation.buckets
  const held = new Map<string, { abort: AbortController; ended: Promise<void> }>()
  let group: LeaseGroup | undefined

  async function keepDoing(job: NightlyJob, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await doIfDue(job, signal).catch(error => {
        if (!(error instanceof Stopped) && !signal.aborted)
          log.warn({ err: error, job: job.name }, 'a nightly job could not be done, trying again')
      })
      await pause(everyMs, signal).catch(() => {})
    }
  }

  async function doIfDue(job: NightlyJob, signal: AbortSignal): Promise<void> {
    const night = nightOf(now(), job.hour)
    const last = await lastNight(positions, job.name)
    if (last !== undefined && (last >= night || !(await group?.verify(job.name)))) return
    if (last !== undefined) await job.run(signal)
    signal.throwIfAborted()
    await positions.put(nightKey(job.name), JSON.stringify({ night }))
  }

  async function end(name: string): Promise<void> {
    const { abort, ended } = held.get(name) ?? {}
    held.delete(name)
    abort?.abort()
    await ended
  }

  group = await joinLeaseGroup({
    nats,
    installation,
    metrics,
    log,
    identity,
    group: 'jobs',
    resources: jobs.map(({ name }) => name),
    onGain(names) {
      for (const job of jobs.filter(({ name }) => names.includes(name))) {
        const abort = new AbortController()
        held.set(job.name, { abort, ended: keepDoing(job, abort.signal) })
      }
    },
    onRelease: end,
    onLose: name => void end(name),
  })
  return {
    async stop() {
      await group?.stop()
      await Promise.all([...held.keys()].map(end))
    },
  }
}

/** Returns the night that a time belongs to: the date on which its hour came last. */
function nightOf(time: number, hour: number): string {
  return new Date(time - hour * HOUR_MS).toISOString().slice(0, 10)
}

async function lastNight(positions: KV, job: string): Promise<string | undefined> {
  const entry = await positions.get(nightKey(job))
  if (entry?.operation !== 'PUT') return undefined
  const parsed = parseEntry(entry, raw =>
    isObject(raw) && typeof raw.night === 'string' ? { ok: true, value: raw.night } : { ok: false, reason: 'no night' },
  )
  return parsed.ok ? parsed.value : undefined
}
