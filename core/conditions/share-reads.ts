import type { PathReader } from './condition.js'

/** Reads that many conditions share, so that each path is read once for a person and not once for each condition. */
export interface SharedReads {
  /** Reader to compile the conditions with. */
  readonly read: PathReader
  /**
   * Returns attributes in the form in which these conditions share what was read of them. For one evaluation of any
   * number of conditions: what was read is not read again. Attributes that are not loaded are read as well, each time.
   */
  load(attributes: unknown): unknown
}

/** A path that was not read yet. */
const UNREAD = Symbol('unread')

class LoadedAttributes {
  readonly attributes: unknown
  /** Values by number of the path. */
  readonly values: unknown[]

  constructor(attributes: unknown, paths: number) {
    this.attributes = attributes
    this.values = new Array<unknown>(paths).fill(UNREAD)
  }
}

/**
 * Shares the reads of a set of conditions over the same attributes. Looking a property up takes the engine longer than
 * all else that a clause does, as it meets hundreds of them at one place of the code.
 */
export function shareReads(read: PathReader): SharedReads {
  const numbers = new Map<string, number>()
  const readers: ((attributes: unknown) => unknown)[] = []
  return {
    read(path) {
      const number = numbers.get(path) ?? readers.length
      numbers.set(path, number)
      const reader = readers[number] ?? read(path)
      readers[number] = reader
      return loaded => {
        if (!(loaded instanceof LoadedAttributes)) return reader(loaded)
        const value = loaded.values[number]
        // Undefined, too, where the condition was compiled after the attributes were loaded.
        if (value !== UNREAD && value !== undefined) return value
        const read = reader(loaded.attributes)
        loaded.values[number] = read
        return read
      }
    },
    load: attributes => new LoadedAttributes(attributes, readers.length),
  }
}
