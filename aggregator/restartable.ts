import type { Service } from '@slotstream/runtime'

/**
 * Starts a service that is restarted when its settings no longer hold: it is stopped first, as on the end of its
 * process, and then started again. A start that fails rejects unhandled, which ends the process.
 *
 * @param start is given what to call for that, once
 */
export async function restartable(start: (outdated: () => void) => Promise<Service>): Promise<Service> {
  let stopping = false
  let current = begin()

  function begin(): Promise<Service> {
    return start(() => {
      if (stopping) return
      current = current.then(async service => {
        await service.stop()
        return begin()
      })
    })
  }

  await current
  return {
    async stop() {
      stopping = true
      await (await current).stop()
    },
  }
}
