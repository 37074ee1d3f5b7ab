import type { Rejection } from '@slotstream/protocol'
import { adviceOn } from './advice.js'
import type { Happening } from './happenings.js'

/** One line for the console, and the objects behind it. */
export interface Line {
  level: 'log' | 'warn'
  text: string
  objects: unknown[]
}

/** Writes a count: `3 messages`, `1 message`. */
export const count = (number: number, thing: string) => `${number} ${thing}${number === 1 ? '' : 's'}`

/** Writes a size: `840 B`, `1.2 KB`. */
export const size = (bytes: number) => (bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} KB`)

/** Writes a duration: `240 ms`, `1.3 s`, `10 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}

/** Writes a message in a few words: `track "Product Viewed"`, `identify ann`. */
export function titleOf({ type, event, name, userId, groupId }: Record<string, unknown>): string {
  const title = event ?? name
  if (title) return `${type} "${title}"`
  const id = type === 'group' ? groupId : type === 'identify' || type === 'alias' ? userId : undefined
  return id ? `${type} ${id}` : String(type)
}

const because = (reason: string) => (adviceOn(reason) ? `${reason}: ${adviceOn(reason)}` : reason)

/**
 * Returns what to write to the console about something that happened.
 *
 * @param titleById says what a message is, if it is known
 */
export function linesOf(
  { name, detail }: Happening,
  titleById: (messageId: string | null) => string | undefined = () => undefined,
): Line[] {
  const line = (text: string, object: unknown = detail, level: Line['level'] = 'log'): Line[] => [
    { level, text, objects: [object] },
  ]
  switch (name) {
    case 'captured':
      return line(`captured ${titleOf({ ...detail })}`, detail.properties ?? detail.traits ?? detail)
    case 'sent':
      return line(`sent ${count(detail.messageIds.length, 'message')}, ${size(detail.bytes)}`)
    case 'acknowledged': {
      const remark = (done: string) => (rejection: Rejection) => {
        const { messageId, index, reason } = rejection
        const what = titleById(messageId) ?? messageId ?? `message ${index + 1}`
        return line(`${done} ${what}: ${reason}`, rejection, 'warn')
      }
      return [
        ...line(`acknowledged ${count(detail.accepted, 'message')}`),
        ...detail.rejected.flatMap(remark('rejected')),
        ...(detail.violations ?? []).flatMap(remark('stored against the tracking plan')),
      ]
    }
    case 'retry':
      return line(
        `attempt ${detail.attempt} failed, the next in ${duration(detail.delayMs)}. ${because(detail.reason)}`,
        detail,
        'warn',
      )
    case 'dropped':
      return line(`dropped ${count(detail.messageIds.length, 'message')}. ${because(detail.reason)}`, detail, 'warn')
    case 'decision': {
      const shown = detail.items.map(({ contentId }) => contentId).join(', ')
      const policy = detail.reason?.policy ? ` by ${detail.reason.policy}` : ''
      const verb = detail.preview ? 'previewed' : detail.cachedAt ? 'shown again' : 'served'
      return line(`slot ${detail.slotId}: ${shown ? `${verb} ${shown}${policy}` : because(detail.outcome)}`)
    }
    case 'error':
      return [
        { level: 'warn', text: because(adviceOn(String(detail[0])) ? String(detail[0]) : 'error'), objects: detail },
      ]
    case 'consent':
      return line(`consent: analytics ${detail.analytics}, personalization ${detail.personalization}`)
  }
}
