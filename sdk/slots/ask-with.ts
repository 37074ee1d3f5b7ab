import { run, running } from '../client/calls.js'
import type { PluginApi } from '../client/plugin-api.js'
import { inBrowser } from '../platform/in-browser.js'
import type { Personalize, PersonalizeOptions, SlotDecision, SlotOutcome } from '../types.js'
import { noDecision } from './no-decision.js'

/** Deadline of `personalize` where no option says otherwise, in milliseconds. */
const SLOT_TIMEOUT_MS = 300

/**
 * Asks for content by the function that `find` returns. Keeps the deadline until that takes over, before `init`.
 */
export function askWith(
  find: (client: PluginApi) => Personalize,
  slotId: string,
  options: PersonalizeOptions = {},
): Promise<SlotDecision> {
  const { fallback, timeout = running()?.client().settings.slotTimeout ?? SLOT_TIMEOUT_MS } = options
  const none = (outcome: SlotOutcome) => noDecision(slotId, outcome, fallback)
  if (!inBrowser()) return Promise.resolve(none('unavailable'))
  const startedAt = Date.now()
  return new Promise(resolve => {
    let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(() => {
      timer = undefined
      resolve(none('timeout'))
      run(({ track }) => track('Slot Fell Back', { slotId, outcome: 'timeout', waitedMs: timeout }))
    }, timeout)
    run(client => {
      if (!timer) return
      clearTimeout(timer)
      resolve(find(client)(slotId, { ...options, timeout: timeout - (Date.now() - startedAt) }))
    })
  })
}
