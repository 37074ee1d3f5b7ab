import type { SegmentDefinition } from '@slotstream/protocol'
import { featuresOf } from './compile-segments.js'
import { compileWhere } from './compile-where.js'

/** The evaluation of a segment, as plain data. */
export interface SegmentExplanation {
  name: string
  /** Time of evaluation: on request, with the attributes of that moment. */
  evaluated: 'request'
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

/** Explains where a segment is evaluated, how fresh it is, what it keeps and what it costs. It must be valid. */
export function explainSegment({ name, where, leaveWhere }: SegmentDefinition): SegmentExplanation {
  const segmentNames: string[] = []
  const paths = [where, ...(leaveWhere ? [leaveWhere] : [])].flatMap(condition => {
    const compiled = compileWhere(condition, {}, { onSegments: names => void segmentNames.push(...names) })
    return compiled.ok ? compiled.value.paths : []
  })
  const unique = [...new Set(paths)]
  const segments = [...new Set(segmentNames)]
  const bytesAtMost = name.length + ENTRY_BYTES
  return {
    name,
    evaluated: 'request',
    freshness: { seconds: 0, text: 'as fresh as the features and traits that it reads' },
    signals: {
      evaluated: 'stream',
      seconds: 0,
      elsewhereSeconds: ELSEWHERE_SECONDS,
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
