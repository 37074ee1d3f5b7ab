import { describe, expect, it } from 'vitest'
import { resume } from '#aggregator/warehouse/positions/resume.js'

describe('resume', () => {
  it('starts at the beginning of a new installation', () => {
    expect(resume(undefined, 0, 0)).toEqual({ offset: 0, next: 1 })
  })

  it('goes on after the table when nothing was ever announced', () => {
    expect(resume(undefined, 7, 9)).toEqual({ offset: 0, next: 8 })
  })

  it.each([4, 5, 8, 10])('does the announced block 5–10 again when the table ends at %i', highest => {
    expect(resume({ first: 5, last: 10 }, highest, 20)).toEqual({
      offset: 0,
      redo: { first: 5, last: 10 },
      cutShort: true,
      next: 11,
    })
  })

  it('goes on after an announced block that is done', () => {
    expect(resume({ first: 5, last: 10, done: true }, 10, 20)).toEqual({ offset: 0, next: 11 })
  })

  it.each([4, 5, 8])('takes the table for a restored one when it ends at %i and 5–10 is done', highest => {
    expect(resume({ first: 5, last: 10, done: true }, highest, 20)).toEqual({
      offset: 0,
      redo: { first: 5, last: 10 },
      next: 11,
    })
  })

  it('goes on after the table when it is ahead of the announcement', () => {
    expect(resume({ first: 5, last: 10 }, 14, 20)).toEqual({ offset: 0, next: 15 })
  })

  it('first replays what a restored table lacks, and keeps the announced block for later', () => {
    expect(resume({ first: 5, last: 10 }, 2, 20)).toEqual({ offset: 0, next: 3, pending: { first: 5, last: 10 } })
  })

  it('goes on replaying after a crash', () => {
    const pending = { first: 50, last: 60 }
    expect(resume({ first: 3, last: 9, pending }, 2, 99)).toEqual({
      offset: 0,
      redo: { first: 3, last: 9 },
      cutShort: true,
      next: 10,
      pending,
    })
    expect(resume({ first: 3, last: 9, pending }, 9, 99)).toEqual({
      offset: 0,
      redo: { first: 3, last: 9 },
      cutShort: true,
      next: 10,
      pending,
    })
    expect(resume({ first: 3, last: 9, pending }, 1, 99)).toEqual({ offset: 0, next: 2, pending })
    expect(resume({ first: 3, last: 9, pending }, 55, 99)).toEqual({ offset: 0, redo: pending, next: 61 })
    expect(resume({ first: 3, last: 9, pending }, 60, 99)).toEqual({ offset: 0, redo: pending, next: 61 })
  })

  it('reads a stream that counts from 1 again from its start, as positions no row has', () => {
    expect(resume(undefined, 100, 5)).toEqual({ offset: 100, next: 101 })
    expect(resume({ first: 90, last: 120 }, 100, 5)).toEqual({ offset: 120, next: 121 })
    expect(resume({ first: 121, last: 124, offset: 120 }, 100, 5)).toEqual({
      offset: 120,
      next: 101,
      pending: { first: 121, last: 124 },
    })
  })
})
