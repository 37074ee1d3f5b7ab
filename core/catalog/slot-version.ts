import { type Content, HASH_BEGIN, hashEnd, hashMore, type Slot } from '@slotstream/protocol'
import { isStepEnd, toEnd } from './steps.js'

/** Texts by content: when one content changes, those of the others are reused. */
const TEXTS = new WeakMap<Content, string>()

/**
 * Returns the version of a slot: a hash of its policy and of all facts of its content that choices depend on. Payloads
 * and attributes, which only pages use, do not change it.
 */
export function slotVersion(slot: Slot, contents: readonly Content[]): string {
  return toEnd(
    slotVersionInSteps(
      slot,
      contents.map(content => ({ content })),
    ),
  )
}

/** Returns the version as `slotVersion` does, in steps, between which other work can run. */
export function* slotVersionInSteps(slot: Slot, contents: readonly { content: Content }[]): Generator<void, string> {
  // Attribution and the schema of payloads choose nothing; `candidates` is in effect by the contents that it finds.
  const { attribution: _credit, schema: _shape, candidates: _query, ...choosing } = slot
  let hash = hashMore(HASH_BEGIN, `[${JSON.stringify(choosing)},[`)
  for (const [place, { content }] of contents.entries()) {
    if (isStepEnd(place)) yield
    hash = hashMore(hash, place > 0 ? `,${textOf(content)}` : textOf(content))
  }
  return hashEnd(hashMore(hash, ']]')).toString(36)
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
