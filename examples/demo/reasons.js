// @ts-check
// Why a decision came out so, in lines of text. No DOM.

/** @import { Decision } from './journal.js' */

/** Contents that a line names, at most. */
const NAMED = 4

/** @param {number} share 0–1 */
export const percent = share => `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`

/** @param {string[]} texts */
const first = texts =>
  texts.slice(0, NAMED).join(', ') + (texts.length > NAMED ? ` and ${texts.length - NAMED} more` : '')

/**
 * Says which policy chose, by what, and why other content was not shown. Lines that have nothing to say are left out.
 * @param {Decision} decision
 */
export function reasonLines({ items, reason, cachedAt, preview }) {
  const lines = []
  if (cachedAt) lines.push('the last decision once more: the collector cannot be reached')
  if (preview) lines.push('a preview: recorded nowhere')
  if (!reason) return lines
  const { policy, policyVersion, excluded = [], candidates = [], campaigns = [], learnedViews } = reason
  const learned = learnedViews ? ` · learned from ${learnedViews} views` : ''
  lines.push(`policy ${policy} · version ${policyVersion}${learned}`)
  if (campaigns.length > 0) lines.push(`campaign ${first(campaigns)}`)
  const shown = new Set(items.map(({ contentId }) => contentId))
  const others = candidates.filter(({ contentId }) => !shown.has(contentId))
  if (others.length > 0)
    lines.push(`others: ${first(others.map(({ contentId, probability }) => `${contentId} ${percent(probability)}`))}`)
  if (excluded.length > 0)
    lines.push(
      `left out: ${first(excluded.map(({ contentId, reason: why, detail }) => `${contentId} (${detail ? `${why}: ${detail}` : why})`))}`,
    )
  return lines
}
