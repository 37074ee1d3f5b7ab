import type { StoredTimer, TimerStore } from '../store/timer-store.js'

/** The stored notes of a partition, as far as this process knows. */
export interface TimerNotes {
  /** Takes note of one that a former owner stored. */
  inherit(stored: StoredTimer): void
  /** Stores that something is due, unless an earlier time is stored. */
  ensure(key: string, due: number): Promise<void>
  /** Removes a note, if there is one. */
  remove(key: string): Promise<void>
  readonly size: number
}

/** Creates the notes of a partition, with none. */
export function createTimerNotes(store: Pick<TimerStore, 'write' | 'remove'>): TimerNotes {
  /** `isInherited`: a former owner that has not stopped yet may still remove it. */
  const notes = new Map<string, { due: number; revision: number; isInherited: boolean }>()
  return {
    inherit: ({ key, due, revision }) => void notes.set(key, { due, revision, isInherited: true }),
    async ensure(key, due) {
      const note = notes.get(key)
      if (note && !note.isInherited && note.due <= due) return
      notes.set(key, { due, revision: await store.write(key, due), isInherited: false })
    },
    async remove(key) {
      const note = notes.get(key)
      if (!note) return
      await store.remove(note.revision)
      if (notes.get(key) === note) notes.delete(key)
    },
    get size() {
      return notes.size
    },
  }
}
