import { type Content, hash32, type Slot } from '@slotstream/protocol'

/** Texts that were made, by content: a change of one leaves those of the others. */
const TEXTS = new WeakMap<Content, string>()

/**
 * Returns a name for a slot's policy and all of its content that choices depend on: what pages render is not among it.
 */
export function slotVersion(slot: Slot, contents: readonly Content[]): string {
  // How orders are credited, and what payloads must look like, choose nothing; contents are named that were found.
  const { attribution: _credit, schema: _shape, candidates: _query, ...choosing } = slot
  return hash32(`[${JSON.stringify(choosing)},[${contents.map(textOf).join()}]]`).toString(36)
}

function textOf(content: Content): string {
  const cached = TEXTS.get(content)
  if (cached !== undefined) return cached
  const text = JSON.stringify(choosingFacts(content))
  TEXTS.set(content, text)
  return text
}

function choosingFacts(content: Content): unknown[] {
  const {
    id,
    category,
    startsAt,
    endsAt,
    slots: _slots,
    payload: _payload,
    attributes: _attributes,
    ...others
  } = content
  const { stock, ...rest } = others
  const facts = stock === undefined ? rest : { ...rest, isOutOfStock: !(stock > 0) }
  return Object.keys(facts).length === 0 ? [id, category, startsAt, endsAt] : [id, category, startsAt, endsAt, facts]
}
