/** Compares what a watch of a bucket has delivered with what the bucket has, from one look at the bucket to the next. */
export interface GapNotice {
  /** A watch began; up to revision `empty` there is nothing that it could tell. */
  began(empty: number): void
  ended(): void
  /** The watch delivered of the entry at this revision. */
  heard(revision: number): void
  /** A look was in vain. */
  unknown(): void
  /**
   * A look: `newest` is the highest revision that the bucket gave out. Whether the watch delivered nothing since the look
   * before, and lacks what was there at that time. Said once for each revision: an entry that was erased, or is too
   * old, never comes.
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
