import { describe, expect, it } from 'vitest'
import { noticeGaps } from '#runtime/nats/buckets/notice-gaps.js'

/** A watch of a bucket that has told everything up to revision 5. */
function upTo5() {
  const gaps = noticeGaps()
  gaps.began(0)
  gaps.heard(5)
  return gaps
}

describe('gaps in what a watch tells', () => {
  it('are none while it tells what the bucket has, however late', () => {
    const gaps = upTo5()
    expect(gaps.isNewestMissing(5)).toBe(false)
    expect(gaps.isNewestMissing(8)).toBe(false)
    gaps.heard(6)
    // Others are on their way.
    expect(gaps.isNewestMissing(9)).toBe(false)
    gaps.heard(9)
    expect(gaps.isNewestMissing(9)).toBe(false)
    expect(gaps.isNewestMissing(9)).toBe(false)
  })

  it('are noticed when nothing came from one look to the next, though there was something', () => {
    const gaps = upTo5()
    expect(gaps.isNewestMissing(6)).toBe(false)
    expect(gaps.isNewestMissing(7)).toBe(true)
    // It had as little time to tell of this one.
    gaps.ended()
    gaps.began(0)
    expect(gaps.isNewestMissing(7)).toBe(false)
    expect(gaps.isNewestMissing(7)).toBe(true)
  })

  it('are said once for each revision: what was erased never comes', () => {
    const gaps = upTo5()
    gaps.isNewestMissing(6)
    expect(gaps.isNewestMissing(6)).toBe(true)
    gaps.ended()
    gaps.began(0)
    gaps.heard(5)
    for (let look = 0; look < 5; look++) expect(gaps.isNewestMissing(6)).toBe(false)
    expect(gaps.isNewestMissing(7)).toBe(false)
    expect(gaps.isNewestMissing(7)).toBe(true)
  })

  it('are noticed when not even the present state comes', () => {
    const gaps = noticeGaps()
    gaps.began(0)
    expect(gaps.isNewestMissing(3)).toBe(false)
    expect(gaps.isNewestMissing(3)).toBe(true)
  })

  it('are none in a bucket whose entries are all gone, nor while no watch is there, nor from a look that was in vain', () => {
    const empty = noticeGaps()
    empty.began(4)
    for (let look = 0; look < 3; look++) expect(empty.isNewestMissing(4)).toBe(false)
    const gaps = upTo5()
    gaps.isNewestMissing(6)
    gaps.unknown()
    expect(gaps.isNewestMissing(6)).toBe(false)
    gaps.ended()
    expect(gaps.isNewestMissing(6)).toBe(false)
    expect(gaps.isNewestMissing(6)).toBe(false)
  })

  it('are noticed also after the bucket has lost its end, and gives its revisions out again', () => {
    const gaps = upTo5()
    gaps.isNewestMissing(9)
    expect(gaps.isNewestMissing(9)).toBe(true)
    gaps.ended()
    gaps.began(0)
    gaps.heard(3)
    expect(gaps.isNewestMissing(4)).toBe(false)
    expect(gaps.isNewestMissing(4)).toBe(true)
  })
})
