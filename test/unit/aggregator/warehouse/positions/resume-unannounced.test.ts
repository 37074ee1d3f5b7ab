import { describe, expect, it } from 'vitest'
import { parsePosition } from '#aggregator/warehouse/positions/parse-position.js'
import { resumeUnannounced } from '#aggregator/warehouse/positions/resume.js'

describe('a loader whose announcement cannot be read', () => {
  it('does the end of the table again, where a block may have landed in part', () => {
    expect(resumeUnannounced(250_000, 300_000)).toEqual({
      offset: 0,
      next: 250_001,
      redo: { first: 150_001, last: 250_000 },
    })
    expect(resumeUnannounced(7, 9)).toMatchObject({ next: 8, redo: { first: 1, last: 7 } })
  })

  it('begins at the beginning of a stream of which the table has nothing', () => {
    expect(resumeUnannounced(0, 9)).toEqual({ offset: 0, next: 1 })
    expect(resumeUnannounced(1_000, 9, 1_000)).toEqual({ offset: 1_000, next: 1_001 })
  })

  it('stays within the positions of its stream', () => {
    expect(resumeUnannounced(1_007, 9, 1_000)).toMatchObject({ redo: { first: 1_001, last: 1_007 } })
  })

  it('reads all of a stream that was made anew', () => {
    expect(resumeUnannounced(500, 3)).toEqual({ offset: 500, next: 501 })
  })
})

describe('an announcement', () => {
  it.each([
    { first: 1, last: 9 },
    { first: 10, last: 9 },
    { first: 1, last: 9, done: true, by: 'me', offset: 0, pending: { first: 20, last: 30 } },
  ])('is taken as it is: %j', position => {
    expect(parsePosition(position)).toEqual({ ok: true, value: position })
  })

  it.each([
    null,
    7,
    [],
    {},
    { first: '1', last: 9 },
    { first: 1, last: 1e300 },
    { first: 1.5, last: 9 },
    { first: -1, last: 9 },
    { first: 9, last: 1 },
    { first: 1, last: 9, done: 'yes' },
    { first: 1, last: 9, pending: {} },
    { first: 1, last: 9, offset: -1 },
  ])('is none: %j', raw => {
    expect(parsePosition(raw).ok).toBe(false)
  })
})
