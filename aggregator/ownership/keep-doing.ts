import { pause, Stopped } from '@slotstream/runtime'
import { joinLeaseGroup, type LeaseGroup, type LeaseGroupDeps } from './join-lease-group.js'

/** Work that is done again and again, by one process of several. */
export interface RepeatedJob {
  /** Unique in its group, and the same in all versions. */
  name: string
  /** Pause between two times, in milliseconds. */
  everyMs: number
  /**
   * Does it once.
   *
   * @param isOwner resolves to whether this process is still the one that does it, to be asked before anything is
   * changed
   */
  run(signal: AbortSignal, isOwner: () => Promise<boolean>): Promise<void>
}

/**
 * Does jobs over and over, each in one of the processes that join the group, until it is stopped. One that fails is
 * tried again.
 */
export async function keepDoing(
  jobs: readonly RepeatedJob[],
  deps: Omit<LeaseGroupDeps, 'resources' | 'onGain' | 'onRelease' | 'onLose'>,
): Promise<{ stop(): Promise<void> }> {
  const running = new Map<string, { abort: AbortController; ended: Promise<void> }>()
  let group: LeaseGroup | undefined

  async function repeat({ name, everyMs, run }: RepeatedJob, signal: AbortSignal): Promise<void> {
    const isOwner = async () => !signal.aborted && (await group?.verify(name)) === true
    while (!signal.aborted) {
      await run(signal, isOwner).catch(error => {
        if (!(error instanceof Stopped) && !signal.aborted)
          deps.log.warn({ err: error, job: name }, 'a job could not be done, trying again')
      })
      await pause(everyMs, signal).catch(() => {})
    }
  }

  async function end(name: string): Promise<void> {
    const { abort, ended } = running.get(name) ?? {}
    running.delete(name)
    abort?.abort()
    await ended
  }

  group = await joinLeaseGroup({
    ...deps,
    resources: jobs.map(({ name }) => name),
    onGain(names) {
      for (const job of jobs.filter(({ name }) => names.includes(name))) {
        const abort = new AbortController()
        running.set(job.name, { abort, ended: repeat(job, abort.signal) })
      }
    },
    onRelease: end,
    onLose: name => void end(name),
  })
  return {
    async stop() {
      await group?.stop()
      await Promise.all([...running.keys()].map(end))
    },
  }
}
