import { type Check, isObject, OUTCOMES, type Outcome, type SlotDecision, uuidv7 } from '@slotstream/protocol'
import type { CategoryOf } from '../slots/content-categories.js'
import type { Decide } from '../slots/decide.js'

/** Content that a slot shows. */
interface Shown {
  contentId: string
  category?: string
  payload: Record<string, unknown>
}

/** The answer of each slot: its content, or why it has none. */
export type SlotAnswers = ReadonlyMap<string, readonly Shown[] | Outcome>

/** Answers slots as a file or a test says, in the place of decisions. */
export interface AnswerSlots {
  decide: Decide
  categoryOf: CategoryOf
  /** Takes other answers from now on. Default: those at the beginning. */
  use(answers?: SlotAnswers): void
}

const FIELDS = new Set(['contentId', 'category', 'payload'])
const REASONS = OUTCOMES.filter(outcome => outcome !== 'served')

/** Checks answers as a file holds them: `{"hero": [{"payload": {…}}], "teaser": "holdout"}`. */
export function parseSlotAnswers(raw: unknown): Check<SlotAnswers> {
  if (!isObject(raw)) return no('the answers must be an object of slots: {"hero": [{"payload": {…}}]}')
  const answers = new Map<string, Shown[] | Outcome>()
  for (const [slot, answer] of Object.entries(raw)) {
    if (!Array.isArray(answer)) {
      if (!REASONS.includes(answer as (typeof REASONS)[number]))
        return no(`${slot} must be a list of content, or one of ${REASONS.join(', ')}`)
      answers.set(slot, answer as Outcome)
      continue
    }
    for (const [index, item] of answer.entries()) {
      const trouble = troubleOf(item)
      if (trouble) return no(`${slot}[${index}] ${trouble}`)
    }
    answers.set(
      slot,
      answer.map((item: Partial<Shown>, index) => ({ payload: {}, contentId: `${slot}-${index + 1}`, ...item })),
    )
  }
  return { ok: true, value: answers }
}

function troubleOf(item: unknown): string | undefined {
  if (!isObject(item)) return 'must be an object with a payload'
  const unknown = Object.keys(item).find(name => !FIELDS.has(name))
  if (unknown !== undefined) return `has "${unknown}": there are ${[...FIELDS].join(', ')}`
  if (!isObject(item.payload)) return 'has no payload: an object of what the page shows'
  for (const name of ['contentId', 'category'])
    if (item[name] !== undefined && (typeof item[name] !== 'string' || item[name] === ''))
      return `has a ${name} that is no text`
  return undefined
}

function no(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}

/** @param first answers at the beginning. Default: none, and every page keeps its own content */
export function createAnswerSlots(first: SlotAnswers = new Map()): AnswerSlots {
  let inUse = first
  return {
    use(answers = first) {
      inUse = answers
    },
    decide: async ({ slots }) => ({
      cost: 0,
      decisions: slots.map(({ id, count }): SlotDecision => {
        const answer = inUse.get(id) ?? 'unavailable'
        const shown = typeof answer === 'string' ? [] : answer.slice(0, count)
        return {
          slotId: id,
          decisionId: uuidv7(),
          outcome: typeof answer === 'string' ? answer : shown.length > 0 ? 'served' : 'empty',
          items: shown.map(({ contentId, payload }, index) => ({ contentId, position: index + 1, payload })),
        }
      }),
    }),
    categoryOf(_siteId, contentId) {
      for (const answer of inUse.values())
        if (typeof answer !== 'string')
          for (const shown of answer) if (shown.contentId === contentId) return shown.category
      return undefined
    },
  }
}
