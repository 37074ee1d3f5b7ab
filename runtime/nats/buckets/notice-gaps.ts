/**
 * Compares what a watch of a bucket has delivered with what the bucket has, from one look at the bucket to the next.
 */
export interface GapNotice {
  /** Takes note that a watch began; up to revision `empty` there is nothing that it could tell. */
  began(empty: number): void
  ended(): void
  /** Takes note that the watch delivered the entry at this revision. */
  heard(revision: number): void
  /** Takes note of a look that was in vain. */
  unknown(): void
  /**
   * Tells whether the watch delivered nothing since the look before, and lacks what was there at that time; once for
   * each revision, because an entry that was erased, or is too old, never comes.
   *
   * @param newest highest revision that the bucket gave out
   */
  isNewestMissing(newest: number): boolean
}

/** Creates the notice of one followed bucket. */
export function noticeGaps(): GapNotice {
  let following = false
  let delivered = 0
  let through = 0
  let excused = 0
  let last: { newest: number; delivered: number } | undefined
  return {
    began(empty) {
      following = true
      last = undefined
      through = empty
    },
    ended() {
      following = false
    },
    heard(revision) {
      delivered++
      through = Math.max(through, revision)
    },
    unknown() {
      last = undefined
    },
    isNewestMissing(newest) {
      const before = last
      last = following ? { newest, delivered } : undefined
      // A bucket that lost its end, in a power cut say, gives its revisions out again.
      if (newest < excused) excused = 0
      if (!following || !before || before.delivered !== delivered || before.newest <= Math.max(through, excused))
        return false
      excused = before.newest
      return true
    },
  }
}
