import type { RejectedSummary, StillRejected } from './replay-rejected.js'

/** Groups of messages that are listed. */
const MAX_GROUPS = 20

/** Describes a replay at its end. */
export function describeRejected(summary: RejectedSummary, siteId: string, dryRun: boolean): string {
  const { messages, accepted, there, repeated, unreadable, still } = summary
  if (messages === 0) return `There are no such rejected messages of the site ${siteId}.\n`
  const rejected = still.reduce((sum, { count }) => sum + count, 0)
  const lines = [
    `${messages} rejected message${messages === 1 ? '' : 's'} of the site ${siteId}:`,
    row(accepted, dryRun ? 'would be accepted now' : 'accepted now'),
    ...(there > 0 ? [row(there, 'in events already')] : []),
    ...(repeated > 0 ? [row(repeated, 'the same as another one')] : []),
    ...(unreadable > 0 ? [row(unreadable, 'not kept whole, or no message at all')] : []),
    ...(rejected > 0 ? [row(rejected, 'still rejected, and still in rejected_events:')] : []),
    ...still.slice(0, MAX_GROUPS).map(group),
    ...(still.length > MAX_GROUPS ? [`         … and ${still.length - MAX_GROUPS} more kinds`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function row(count: number, what: string): string {
  return `${String(count).padStart(8)} ${what}`
}

function group({ count, code, event, reason, messageId }: StillRejected): string {
  return printable(`${String(count).padStart(12)} ${code}, ${event}: ${reason}, e.g. ${messageId}`)
}

/** A terminal would obey control characters, and what visitors sent may hold some. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
