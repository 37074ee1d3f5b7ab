import type { SegmentDefinition } from '@slotstream/protocol'
import { featuresOf } from './compile-segments.js'
import { compileWhere } from './compile-where.js'

/** How a segment is evaluated, as plain data. */
export interface SegmentExplanation {
  name: string
  /** When it is asked for, with what is known then. */
  evaluated: 'request'
  freshness: { seconds: number; text: string }
  /** What is kept of each visitor, in bytes of JSON. */
  state: { bytesAtMost: number; text: string }
  cost: {
    /** What it reads of a person. */
    paths: string[]
    features: string[]
    /** Segments that are evaluated before it. */
    segments: string[]
    text: string
  }
}

/** Explains where a segment is evaluated, how fresh it is, what it keeps and what it costs. It must be valid. */
export function explainSegment({ name, where, leaveWhere }: SegmentDefinition): SegmentExplanation {
  const asked: string[] = []
  const paths = [where, ...(leaveWhere ? [leaveWhere] : [])].flatMap(condition => {
    const compiled = compileWhere(condition, {}, { onSegments: names => void asked.push(...names) })
    return compiled.ok ? compiled.value.paths : []
  })
  const unique = [...new Set(paths)]
  const segments = [...new Set(asked)]
  return {
    name,
    evaluated: 'request',
    freshness: { seconds: 0, text: 'as fresh as the features and traits that it reads' },
    state: { bytesAtMost: 0, text: 'nothing: it is evaluated each time it is asked for' },
    cost: {
      paths: unique,
      features: featuresOf(unique),
      segments,
      text: `${unique.length} paths are read${segments.length > 0 ? `, and ${segments.length} segments evaluated before` : ''}`,
    },
  }
}
