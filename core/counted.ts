/** Returns a number with what it counts, such as `1 slot` or `2 slots`. */
export function counted(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`
}
