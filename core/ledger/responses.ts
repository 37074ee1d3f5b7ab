import type { KeptDecision, KeptItem, StoredMessage } from '@slotstream/protocol'
import { timeAt } from './times.js'

/** Clicks on one item that are kept: the first ones. They say which item of a decision was clicked last. */
export const MAX_CLICKS = 8

const VIEWED = 'Slot Viewed'
const CLICKED = 'Slot Clicked'

/** Names of the messages in which pages tell of views and clicks. */
export const RESPONSES = [VIEWED, CLICKED] as const

/** Returns decisions after a message: it may tell that an item was viewed or clicked. */
export function withResponse(
  decisions: readonly KeptDecision[],
  { type, event, properties }: StoredMessage,
  at: number,
): readonly KeptDecision[] {
  if (type !== 'track' || (event !== VIEWED && event !== CLICKED)) return decisions
  const place = decisions.findIndex(({ decisionId }) => decisionId === properties?.decisionId)
  const decision = decisions[place]
  if (!decision) return decisions
  const note = event === VIEWED ? noteView : noteClick
  const time = timeAt(decision, at)
  // Who is held out views the page's own content, in the place of all that would have been shown.
  const isMeant = ({ contentId }: KeptItem) =>
    decision.isGhost ? event === VIEWED : contentId === properties?.contentId
  const items = decision.items.map(item => (isMeant(item) ? note(item, time) : item))
  if (items.every((item, index) => item === decision.items[index])) return decisions
  return decisions.with(place, { ...decision, items })
}

function noteView(item: KeptItem, at: number): KeptItem {
  return item.viewedAt !== undefined && item.viewedAt <= at ? item : { ...item, viewedAt: at }
}

function noteClick(item: KeptItem, at: number): KeptItem {
  const { clicks = [] } = item
  if (clicks.includes(at) || (clicks.length >= MAX_CLICKS && at > clicks.at(-1)!)) return item
  return { ...item, clicks: [...clicks, at].sort((a, b) => a - b).slice(0, MAX_CLICKS) }
}
