export type Emit = (
  name: 'captured' | 'sent' | 'acknowledged' | 'retry' | 'decision' | 'ready',
  detail: unknown,
) => void

/** Tells debuggers on the page what happens: a `slotstream:<name>` CustomEvent on `window`. */
export const emit: Emit = (name, detail) => {
  window.dispatchEvent(new CustomEvent(`slotstream:${name}`, { detail }))
}
