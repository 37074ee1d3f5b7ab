import { adviceOn } from './advice.js'
import { clock, el, facts, json } from './elements.js'
import type { Entry, Journal, Problem } from './journal.js'
import { titleOf } from './lines.js'

type Decision = Journal['decisions'][number]

/** Makes a row that unfolds. */
function row(at: number, title: string, badge: string, more: () => Node[]): HTMLElement {
  const details = el(
    'details',
    {},
    el('summary', {}, el('span', { class: 'title' }, title), el('b', { class: `badge ${badge}` }, badge), time(at)),
  )
  // Most are never unfolded.
  details.addEventListener('toggle', () => details.childElementCount < 2 && details.append(...more()), { once: true })
  return details
}

const time = (at: number) => el('time', {}, clock(at))

/** Explains a reason, where it is known. */
const note = (reason: string) => {
  const advice = adviceOn(reason)
  return reason ? [el('p', { class: 'note' }, advice ? `${reason}: ${advice}` : reason)] : []
}

/** Makes the row of a message and how far it got. */
export const messageRow = ({ at, message, status, reason }: Entry) =>
  row(at, titleOf({ ...message }), status, () => [...note(reason), json(message)])

/** Makes the row of a decision and its reasons. */
export function decisionRow({ at, decision }: Decision): HTMLElement {
  const { slotId, outcome, items, decisionId, cachedAt, preview } = decision
  const shown = items.map(({ contentId }) => contentId).join(', ')
  return row(at, shown ? `${slotId} → ${shown}` : slotId, outcome, () => [
    ...note(outcome === 'served' ? '' : outcome),
    ...note(
      cachedAt ? `the last decision, of ${clock(cachedAt)}: the collector can't be reached; it isn't counted` : '',
    ),
    ...note(preview ? 'what a preview link shows: it is recorded nowhere' : ''),
    ...why(decision),
    facts([['decision', decisionId]]),
    json(items.map(({ payload }) => payload)),
  ])
}

/** Reasons of a decision as this version knows them; what else a collector says is shown as it is. */
interface Reason {
  policy?: string
  policyVersion?: string
  propensities?: number[]
  explored?: boolean
  affinities?: Record<string, number>
  excluded?: { contentId: string; reason: string; detail?: string }[]
  candidates?: { contentId: string; score: number; probability: number }[]
}

function why({ reason, items, decisionId }: Decision['decision']): Node[] {
  if (!reason) {
    const text = 'The option `debug` adds the reasons of a decision, at sites whose `debug` is on.'
    return decisionId ? [el('p', { class: 'note' }, text)] : []
  }
  const { policy, policyVersion, propensities, explored, affinities, excluded, candidates, ...more } = reason as Reason
  const strongest = Object.entries(affinities ?? {})
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
  const most = strongest[0]?.[1] || 1
  const chances = propensities?.map((chance, index) => `${items[index]?.contentId ?? ''} ${percent(chance)}`)
  const scores = candidates?.map(
    ({ contentId, score, probability }) =>
      `${contentId} ${percent(probability)}, score ${Number(score.toPrecision(3))}`,
  )
  return [
    facts([
      ['policy', policy && `${policy} ${policyVersion ?? ''}`],
      ['chance', chances && first(chances)],
      ['explored', explored === undefined ? undefined : explored ? 'yes: to find out what else works' : 'no'],
      ...strongest.map(
        ([category, affinity]): Fact => [
          `likes ${category}`,
          el('meter', { min: '0', max: String(most), value: String(affinity), title: affinity.toFixed(2) }),
        ],
      ),
      ['candidates', scores && first(scores)],
      ...leftOut(excluded ?? []),
      ...Object.entries(more).map(
        ([name, value]): Fact => [name, typeof value === 'object' && value ? json(value) : String(value)],
      ),
    ]),
  ]
}

type Fact = [term: string, value: Node | string | undefined]

/** Lists what was left out by its reason: of a large catalog, most is left out for the same. */
function leftOut(excluded: NonNullable<Reason['excluded']>): Fact[] {
  const byReason = new Map<string, string[]>()
  for (const { contentId, reason, detail } of excluded) {
    const texts = byReason.get(reason) ?? []
    byReason.set(reason, texts)
    texts.push(detail ? `${contentId} (${detail})` : contentId)
  }
  return [...byReason].map(([reason, texts]) => [`left out: ${reason}`, first(texts)])
}

/** Texts that a row lists, at most. */
const LISTED = 20

/** Lists texts, the first of many. */
function first(texts: string[]): string {
  const more = texts.length - LISTED
  return texts.slice(0, LISTED).join('; ') + (more > 0 ? `; and ${more} more` : '')
}

const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

/** Makes the row of a problem. */
export const problemRow = ({ at, text, objects }: Problem) =>
  el('div', { class: 'problem' }, time(at), el('p', {}, [text, ...objects.filter(isTelling)].join(' ')))

/** Errors and texts are shown by themselves; anything else is part of the text already. */
const isTelling = (object: unknown) => object instanceof Error || typeof object === 'string'
