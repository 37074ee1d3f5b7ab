type Numbers = Float64Array | Uint32Array

/** Numbers that are appended one by one, in eight or four bytes each. */
export interface Growing<T extends Numbers> {
  push(value: number): void
  /** Returns what was appended, without a copy. */
  values(): T
}

/** Makes an empty list of numbers. */
export function growing<T extends Numbers>(create: (length: number) => T): Growing<T> {
  let room = create(1_024)
  let length = 0
  return {
    push(value) {
      if (length === room.length) {
        const larger = create(2 * length)
        larger.set(room)
        room = larger
      }
      room[length++] = value
    },
    values: () => room.subarray(0, length) as T,
  }
}
