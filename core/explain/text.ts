import type { Outcome } from '@slotstream/protocol'
import { percent } from './because.js'
import type { ExplainedContent, ExplainedRecord, ExplainedSlot } from './explanation.js'
import { excludedWords } from './reasons.js'
import { isUndecided, type NotReproduced } from './reproduce.js'

/** Contents that the text names of each kind, at most. The table has all. */
const MOST = 20

/** Reasons why nothing was shown. */
const NOTHING: Partial<Record<Outcome, string>> = {
  holdout: 'the visitor is held out, to compare those who see something with those who do not',
  unknown_slot: 'there was no slot of that name',
  timeout: 'no answer was ready in time',
  unavailable: 'no process could decide or record at that moment',
  stale: 'what was known of the visitor was older than the slot allows',
}

const AGAIN: Record<NotReproduced | 'same' | 'nothing', string> = {
  same: 'Drawn again from the record, the choice is the same.',
  nothing: 'There was nothing to draw.',
  no_draw: 'Not drawn again: nothing was drawn.',
  imported: "Not drawn again: it was imported from another system's log, which does not say how it was drawn.",
  different:
    'Not reproduced: the numbers of the record draw something else. Another system wrote it, or it was changed afterwards.',
}

/** Says in plain words why a decision was made. */
export function explanationText(
  record: Pick<ExplainedRecord, 'outcome' | 'contentIds' | 'ghost' | 'experiment' | 'arm'>,
  { candidates, unnamed, drawn }: ExplainedSlot,
  trouble: NotReproduced | undefined,
): string {
  const { outcome, contentIds, ghost, experiment, arm } = record
  const parts: string[] = []
  const others = candidates.filter(({ position }) => position === null)
  const possible = others.filter(({ excluded, propensity }) => excluded === null && propensity > 0)
  const missed = others.filter(({ excluded }) => excluded !== null)
  if (contentIds.length === 0)
    parts.push(`nothing was shown because ${NOTHING[outcome] ?? emptyBecause(others, unnamed)}`)
  const verb = ghost ? 'would have been shown' : 'was shown'
  for (const { contentId, why } of drawn) parts.push(`${contentId} ${verb} because ${why}`)
  if (possible.length > 0) parts.push(`also possible: ${list(possible, ', ', chanceOf)}`)
  if (missed.length > 0) parts.push(`not shown: ${list(missed, '; ', missedBecause)}`)
  if (unnamed > 0) parts.push(`${unnamed} more of the slot, whose names are not recorded`)
  const chose = arm ? ` The visitor is in the arm "${arm}" of the experiment "${experiment ?? ''}".` : ''
  return `${capital(parts.join('; '))}.${chose} ${AGAIN[trouble ?? (isUndecided(outcome) ? 'nothing' : 'same')]}`
}

function emptyBecause(others: readonly ExplainedContent[], unnamed: number): string {
  if (others.some(({ excluded }) => excluded === null)) return 'the policy chooses none of what could be shown'
  return others.length + unnamed > 0 ? 'none of its contents could be shown' : 'the slot had no content'
}

function list(
  contents: readonly ExplainedContent[],
  between: string,
  write: (content: ExplainedContent) => string,
): string {
  const more = contents.length - MOST
  return [...contents.slice(0, MOST).map(write), ...(more > 0 ? [`${more} more`] : [])].join(between)
}

function chanceOf({ contentId, propensity }: ExplainedContent): string {
  return `${contentId} (${percent(propensity)})`
}

function missedBecause({ contentId, excluded }: ExplainedContent): string {
  return `${contentId}, ${excludedWords(excluded!)}`
}

/** Ids of contents keep their letters. */
function capital(text: string): string {
  return text.startsWith('nothing was shown') ? `N${text.slice(1)}` : text
}
