import type { Table } from '../../tables/table.js'

/**
 * Returns the table so that it takes rows only while the lease is held. Tokens already keep an owner that was paused
 * from writing a block twice; but a table remembers a bounded number of them, and a process can be paused for longer
 * than that.
 *
 * @param holds whether this process may write at this moment
 */
export function withLeaseCheck<T extends Pick<Table, 'insert'>>(table: T, holds: () => boolean): T {
  return {
    ...table,
    insert(lines: string[], token: string) {
      if (!holds()) return Promise.reject(new Error('the lease of the stream has lapsed: not written'))
      return table.insert(lines, token)
    },
  }
}
