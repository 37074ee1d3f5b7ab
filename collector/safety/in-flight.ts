import type { IncomingMessage } from 'node:http'
import { MAX_BATCH_BYTES } from '@slotstream/protocol'
import { Failure } from '../failure.js'

/** Bytes of the bodies that are being worked on: what memory is spent on while the stream is slow. */
export interface InFlight {
  readonly bytes: number
  /**
   * Makes room for a request; `leave` gives it back.
   *
   * @returns what was reserved
   * @throws Failure `unavailable` when there is no room
   */
  enter(request: IncomingMessage): number
  leave(bytes: number): void
}

export function createInFlight(maxBytes: number): InFlight {
  let bytes = 0
  return {
    get bytes() {
      return bytes
    },
    enter(request) {
      const wanted = expectedBytes(request)
      // A single one always fits, however small the bound is set.
      if (bytes > 0 && bytes + wanted > maxBytes)
        throw new Failure('unavailable', 'the collector has too much to do: keep this and send it again')
      bytes += wanted
      return wanted
    },
    leave(released) {
      bytes -= released
    },
  }
}

/** The size of a body before it is read: as announced, or the most it may be when it is compressed or doesn't say. */
function expectedBytes({ headers }: IncomingMessage): number {
  const announced = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
  return announced === undefined ? MAX_BATCH_BYTES : Math.min(Number(announced), MAX_BATCH_BYTES)
}
