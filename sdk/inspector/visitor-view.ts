import type { Running } from '../client/start.js'
import type { State } from '../delivery/database/tables.js'
import { VERSION } from '../version.js'
import { adviceOn } from './advice.js'
import { el, facts } from './elements.js'
import type { Journal } from './journal.js'
import { size } from './lines.js'

/** Shows the visitor's ids, what they agreed to, and what is in the queue. */
export function visitorView(running: Running | undefined, state: State | undefined, { entries }: Journal): Node[] {
  if (!running) return [el('p', { class: 'note' }, 'The package is not running: call `init`.')]
  const client = running.client()
  const { analytics, personalization } = running.consent()
  const latest = [...entries.values()].at(-1)?.message
  const { sessionId, pageViewId } = (latest?.context ?? {}) as Record<string, string | undefined>
  const dropped = Object.entries(state?.ledger.dropped ?? {})
  return [
    el('h3', {}, 'Visitor'),
    facts([
      ['anonymous id', client.visitorIds.all().anonymousId],
      ['user id', latest?.userId ?? 'not identified'],
      ['session', sessionId],
      ['page view', pageViewId],
    ]),
    el('h3', {}, 'Consent'),
    facts([
      ['analytics', analytics],
      ['personalization', personalization],
    ]),
    el('h3', {}, 'Queue of this browser'),
    state
      ? facts([
          ['waiting', `${state.waiting}, ${size(state.bytes)}`],
          ['captured', state.ledger.captured],
          ['sent', state.ledger.sent],
          ['acknowledged', state.ledger.acknowledged],
          ...dropped.map(([reason, count]): [string, string] => [`dropped ${count}`, meaning(reason)]),
        ])
      : el('p', { class: 'note' }, 'Nothing is stored in this browser: messages live as long as the page.'),
    el('h3', {}, 'Package'),
    facts([
      ['write key', client.settings.writeKey],
      ['endpoint', client.settings.endpoint],
      ['version', VERSION],
    ]),
  ]
}

const meaning = (reason: string) => (adviceOn(reason) ? `${reason}: ${adviceOn(reason)}` : reason)
