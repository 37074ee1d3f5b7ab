import type { Message, SlotDecision } from '../types.js'
import type { Happening } from './happenings.js'
import { type Line, linesOf, titleOf } from './lines.js'

/** Status of a message. */
export type Status = 'waiting' | 'sent' | 'acknowledged' | 'rejected' | 'dropped'

/** A message and what became of it. */
export interface Entry {
  at: number
  message: Message
  status: Status
  /** Why it was rejected or dropped. */
  reason: string
}

/** Something that went wrong. */
export interface Problem extends Line {
  at: number
}

/** Record of what happened on the page: newest last. */
export interface Journal {
  /** By message id. */
  entries: Map<string, Entry>
  decisions: { at: number; decision: SlotDecision }[]
  problems: Problem[]
}

/** Most that is kept of each kind; beyond it the oldest go. */
export const KEPT = 300

/** Puts together what happens; `tell` adds to the journal. */
export function createJournal(): Journal & { tell(happening: Happening): void } {
  const entries: Journal['entries'] = new Map()
  const decisions: Journal['decisions'] = []
  const problems: Problem[] = []
  const batches = new Map<string, string[]>()
  const mark = (messageIds: string[], status: Status, reason = '') => {
    for (const id of messageIds) {
      const entry = entries.get(id)
      if (entry) Object.assign(entry, { status, reason })
    }
  }
  const titleById = (id: string | null) => {
    const entry = entries.get(id ?? '')
    return entry && titleOf({ ...entry.message })
  }
  const tell = (happening: Happening) => {
    const { name, detail, at } = happening
    if (name === 'captured') entries.set(detail.messageId, { at, message: detail, status: 'waiting', reason: '' })
    if (name === 'decision') decisions.push({ at, decision: detail })
    if (name === 'sent') {
      batches.set(detail.batchId, detail.messageIds)
      mark(detail.messageIds, 'sent')
    }
    if (name === 'retry') mark(batches.get(detail.batchId) ?? [], 'waiting', detail.reason)
    if (name === 'dropped') mark(detail.messageIds, 'dropped', detail.reason)
    if (name === 'acknowledged') {
      mark(batches.get(detail.batchId) ?? [], 'acknowledged')
      for (const { messageId, reason } of detail.rejected) mark([messageId ?? ''], 'rejected', reason)
      batches.delete(detail.batchId)
    }
    for (const line of linesOf(happening, titleById)) if (line.level === 'warn') problems.push({ ...line, at })
    for (const map of [entries, batches] as Map<string, unknown>[])
      for (const key of map.keys()) if (map.size > KEPT) map.delete(key)
    for (const list of [decisions, problems]) if (list.length > KEPT) list.shift()
  }
  return { entries, decisions, problems, tell }
}
