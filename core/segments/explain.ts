import type { PatternDefinition, SegmentDefinition } from '@slotstream/protocol'
import { explainPattern } from '../patterns/explain.js'
import { featuresOf } from './compile-segments.js'
import { compileWhere } from './compile-where.js'

/** The evaluation of a segment, as plain data. */
export interface SegmentExplanation {
  name: string
  /**
   * `request`: with the attributes of that moment. `stream`: it or a segment that it asks for waits for a signal that
   * is found by a timer, or by a later message.
   */
  evaluated: 'request' | 'stream'
  /** Delay after a message until it is decided, in seconds: the longest of the signals that it asks for. */
  freshness: { seconds: number; text: string }
  /** Signals of a person who enters or leaves. */
  signals: {
    evaluated: 'stream'
    /** Delay after a message, of a person with one browser, and of one with several, in seconds. */
    seconds: number
    elsewhereSeconds: number
    text: string
  }
  /** State per person, in bytes of JSON. */
  state: { bytesAtMost: number; text: string }
  cost: {
    /** Paths that it reads of a person. */
    paths: string[]
    features: string[]
    /** Segments that are evaluated before it. */
    segments: string[]
    text: string
  }
}

/** Bytes of a member's entry beside the segment's name: marks of JSON, and the time of entering. */
const ENTRY_BYTES = 20

/** Time until a change on one browser is noticed of the person, in seconds. */
const ELSEWHERE_SECONDS = 2

/** Definitions that a segment may ask for, by name. */
export interface SegmentSources {
  segments?: readonly SegmentDefinition[]
  patterns?: readonly PatternDefinition[]
}

/**
 * Explains where a segment is evaluated, how fresh it is, what it keeps and what it costs. It must be valid.
 *
 * @param sources of the site, built-in ones among them. Default: none are followed
 */
export function explainSegment(segment: SegmentDefinition, sources: SegmentSources = {}): SegmentExplanation {
  const { name } = segment
  const { paths, segments: segmentNames } = readsOf(segment)
  const slowest = slowestSignal(segment, sources)
  const unique = [...new Set(paths)]
  const segments = [...new Set(segmentNames)]
  const bytesAtMost = name.length + ENTRY_BYTES
  return {
    name,
    evaluated: slowest === undefined ? 'request' : 'stream',
    freshness: {
      seconds: slowest?.seconds ?? 0,
      text:
        slowest === undefined
          ? 'as fresh as the features and traits that it reads'
          : `as fresh as what it reads; the signal ${slowest.name} is ${slowest.text}`,
    },
    signals: {
      evaluated: 'stream',
      seconds: slowest?.seconds ?? 0,
      elsewhereSeconds: ELSEWHERE_SECONDS + (slowest?.seconds ?? 0),
      text:
        `entered and left with the message, by the owner of the visitor's partition; of a user with browsers within ` +
        `${ELSEWHERE_SECONDS} s, by the owner of the user's. A member whose messages fall out of a window leaves without ` +
        'another message',
    },
    state: { bytesAtMost, text: `name and time of entering of each member, ${bytesAtMost} bytes` },
    cost: {
      paths: unique,
      features: featuresOf(unique),
      segments,
      text: `${unique.length} paths are read${segments.length > 0 ? `, and ${segments.length} segments evaluated before` : ''}`,
    },
  }
}

/** Returns the paths that a segment reads, and the segments and signals that it names. */
function readsOf({ where, leaveWhere }: SegmentDefinition) {
  const names = { segments: [] as string[], signals: [] as string[] }
  const paths = [where, ...(leaveWhere ? [leaveWhere] : [])].flatMap(condition => {
    const compiled = compileWhere(condition, {}, { onNames: (root, named) => void names[root].push(...named) })
    return compiled.ok ? compiled.value.paths : []
  })
  return { paths, ...names }
}

/** Returns the signal that comes the latest after its message, of those that a segment and its segments ask for. */
function slowestSignal(segment: SegmentDefinition, { segments = [], patterns = [] }: SegmentSources) {
  const visited = new Set([segment.name])
  const signals = new Set<string>()
  const left = [segment]
  for (let next = left.pop(); next; next = left.pop()) {
    const reads = readsOf(next)
    for (const name of reads.signals) signals.add(name)
    for (const other of segments) {
      if (!reads.segments.includes(other.name) || visited.has(other.name)) continue
      visited.add(other.name)
      left.push(other)
    }
  }
  const waits = patterns
    .filter(({ name }) => signals.has(name))
    .map(pattern => ({ name: pattern.name, ...explainPattern(pattern).freshness }))
    .filter(({ seconds }) => seconds > 0)
  return waits.sort((a, b) => b.seconds - a.seconds)[0]
}
