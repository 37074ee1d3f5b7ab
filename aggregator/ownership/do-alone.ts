import { uuidv7 } from '@slotstream/protocol'
import { Stopped } from '@slotstream/runtime'
import { joinLeaseGroup, type LeaseGroupDeps } from './join-lease-group.js'

const TURN = 'turn'

/**
 * Does something when no other process of the group does it, and resolves to its result. Others that want to wait for
 * their turn, also where this process is killed in the middle.
 *
 * @param work is called with what resolves to whether it is still this process's turn, to be asked before anything is
 * changed
 * @throws Stopped when it is aborted before its turn has come
 */
export async function doAlone<T>(
  deps: Omit<LeaseGroupDeps, 'resources' | 'onGain' | 'onRelease' | 'onLose'>,
  abort: AbortSignal,
  work: (isMyTurn: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  let gained = () => {}
  let stopped = (_error: Stopped) => {}
  const turn = new Promise<void>((resolve, reject) => {
    gained = resolve
    stopped = reject
  })
  const onAbort = () => stopped(new Stopped('stopped'))
  let ended: Promise<unknown> = Promise.resolve()
  const group = await joinLeaseGroup({
    ...deps,
    // Whose id comes first has the turn: with ids of now, those who come later wait.
    identity: { id: uuidv7(), name: deps.identity.name },
    resources: [TURN],
    onGain: gained,
    onRelease: async () => void (await ended),
    onLose: () => {},
  })
  try {
    abort.addEventListener('abort', onAbort, { once: true })
    if (abort.aborted) onAbort()
    await turn
    const result = work(() => group.verify(TURN))
    ended = result.catch(() => {})
    return await result
  } finally {
    abort.removeEventListener('abort', onAbort)
    await group.stop()
  }
}
