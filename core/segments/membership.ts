import type { SegmentAttributes } from './attributes.js'
import type { CompiledSegment, CompiledSegments } from './compile-segments.js'

/** Attributes of a person whose segments are to be found. */
export type PersonAttributes = Omit<SegmentAttributes, 'segments'>

/** The segments that a person is in now, and their changes. All in dependency order, except `dropped`. */
export interface SegmentChanges {
  segments: string[]
  entered: string[]
  left: string[]
  /** Segments that the person was in and that are no longer defined. They are not left. */
  dropped: string[]
}

/** Returns the segments of a person who was in none before. */
export function segmentsOf(compiled: CompiledSegments, attributes: PersonAttributes): string[] {
  return changesOf(compiled, [], attributes).segments
}

/**
 * Returns the segments of a person and what changed since `before`. A member of a segment with `leaveWhere` stays until
 * that holds, and no person enters while it holds. Nested segments are asked as they are after the change.
 */
export function changesOf(
  compiled: CompiledSegments,
  before: readonly string[],
  attributes: PersonAttributes,
): SegmentChanges {
  const remaining = new Set(before)
  const segments: string[] = []
  const entered: string[] = []
  const left: string[] = []
  // Grows while the segments are evaluated, each after those that it asks for.
  const withSegments: SegmentAttributes = { ...attributes, segments }
  const loaded = compiled.reads.load(withSegments)
  for (const segment of compiled.segments) {
    const { name } = segment
    const wasMember = remaining.delete(name)
    if (isMember(segment, wasMember, loaded)) {
      segments.push(name)
      if (!wasMember) entered.push(name)
    } else if (wasMember) left.push(name)
  }
  return { segments, entered, left, dropped: [...remaining] }
}

function isMember({ where, leaveWhere }: CompiledSegment, wasMember: boolean, attributes: unknown): boolean {
  if (leaveWhere === undefined) return where.matches(attributes)
  return !leaveWhere.matches(attributes) && (wasMember || where.matches(attributes))
}
