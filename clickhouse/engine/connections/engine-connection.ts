/** The part of a `chdb` session that is used: one connection, one query at a time. */
export interface EngineConnection {
  queryAsync(sql: string, options?: { format?: string }): Promise<EngineResult>
  close(): void
}

export interface EngineResult {
  /**
   * Rows of the result, whatever the name says: `SELECT sum(x)` over a thousand rows reports one. Of an insert those
   * that were written.
   */
  readonly rowsRead: number
  readonly bytesRead: number
  bytes(): Uint8Array
  text(): string
}
