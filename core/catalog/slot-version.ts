import { type Content, hash32, type Slot } from '@slotstream/protocol'

/** Texts by content: when one content changes, those of the others are reused. */
const TEXTS = new WeakMap<Content, string>()

/**
 * Returns the version of a slot: a hash of its policy and of all facts of its content that choices depend on. Payloads
 * and attributes, which only pages use, do not change it.
 */
export function slotVersion(slot: Slot, contents: readonly Content[]): string {
  // Attribution and the schema of payloads choose nothing; `candidates` is in effect by the contents that it finds.
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
