import type { KV } from '@nats-io/kv'
import { isObject, nightKey } from '@slotstream/protocol'
import { type Installation, type Log, type Metrics, type Nats, parseEntry } from '@slotstream/runtime'
import type { Identity } from '../ownership/join-lease-group.js'
import { keepDoing } from '../ownership/keep-doing.js'

const HOUR_MS = 3_600_000

/** Time between two looks at what is due, in milliseconds. */
const LOOK_MS = 60_000

/** Work that is done once a night, by one of the processes with the role. */
export interface NightlyJob {
  /** Unique, and the same in all versions: what was done is noted under it. */
  name: string
  /** Hour of the day from which it runs, UTC. */
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

/**
 * Does jobs in their nights, each in one process, until it is stopped. A new installation's first night is the next
 * one.
 */
export async function startNightly(deps: NightlyDeps): Promise<{ stop(): Promise<void> }> {
  const { nats, installation, metrics, log, identity, jobs, now = Date.now, everyMs = LOOK_MS } = deps
  const { positions } = installation.buckets

  async function doIfDue(job: NightlyJob, signal: AbortSignal, isOwner: () => Promise<boolean>): Promise<void> {
    const night = nightOf(now(), job.hour)
    const last = await lastNight(positions, job.name)
    if (last !== undefined && (last >= night || !(await isOwner()))) return
    if (last !== undefined) await job.run(signal)
    signal.throwIfAborted()
    await positions.put(nightKey(job.name), JSON.stringify({ night }))
  }

  return keepDoing(
    jobs.map(job => ({ name: job.name, everyMs, run: (signal, isOwner) => doIfDue(job, signal, isOwner) })),
    { nats, installation, metrics, log, identity, group: 'jobs' },
  )
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
