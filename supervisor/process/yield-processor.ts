import { writeFile } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { pause } from '@slotstream/runtime'

/** Linux lets a user change a session's priority once in 100 ms, all sessions together. */
const TRIES = 20
const AGAIN_MS = 120

/**
 * Gives a process the lowest priority. On Linux with `autogroup` (desktops, many small servers) a process's own
 * priority only tells it from others of its session, and each service is a session of its own: there the session's
 * priority is what matters, so both are set.
 *
 * @param pid leader of a session, just started
 */
export async function yieldProcessor(pid: number): Promise<void> {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended already.
    return
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const code = await writeFile(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW), {
      flag: 'r+',
    }).then(
      () => '',
      (error: NodeJS.ErrnoException) => error.code,
    )
    // Anything else: the kernel has no such groups, or the process is gone.
    if (code !== 'EAGAIN') return
    await pause(AGAIN_MS)
  }
}
