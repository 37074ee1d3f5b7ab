export type EmitName =
  | 'captured'
  | 'sent'
  | 'acknowledged'
  | 'retry'
  | 'dropped'
  | 'decision'
  | 'consent'
  | 'visitor'
  | 'refresh'
  | 'error'
  | 'ready'

export type Emit = (name: EmitName, detail: unknown) => void

/** Number of events remembered for an inspector that is opened after them. */
export const REMEMBERED = 200

/** The latest events in no particular order: they carry their time. */
export const recent: CustomEvent[] = []
let count = 0

/** Tells debuggers on the page what happens: a `slotstream:<name>` CustomEvent on `window`. */
export const emit: Emit = (name, detail) => {
  const event = new CustomEvent(`slotstream:${name}`, { detail })
  recent[count++ % REMEMBERED] = event
  window.dispatchEvent(event)
}
