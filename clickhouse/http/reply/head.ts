import type { ServerResponse } from 'node:http'

/** The head of a response, whose first headers can go out long before its last. */
export interface Head {
  /** Sends one more header now, after status 200 and whatever headers the response has so far. False: it's too late. */
  send(name: string, value: string): boolean
  /** Sends the rest of the head, with this status if none is out yet. */
  end(status: number): void
}

/**
 * ClickHouse tells progress in headers while a query runs, and node:http writes a head in one piece. So the first lines
 * go to the socket by hand; when the rest is due node writes a head as always, of which the status line is left out.
 * Node stays in charge of everything else, such as chunks, and keeping the connection.
 */
export function createHead(response: ServerResponse): Head {
  let begun = false

  function begin(): string {
    begun = true
    // Node 15.4 has it, its types don't yet.
    const names = (response as ServerResponse & { getRawHeaderNames(): string[] }).getRawHeaderNames()
    const lines = names.map(name => `${name}: ${response.getHeader(name)}\r\n`)
    for (const name of names) response.removeHeader(name)
    return `HTTP/1.1 200 OK\r\n${lines.join('')}`
  }

  return {
    send(name, value) {
      if (response.headersSent || response.destroyed) return false
      // No socket: the answer to an earlier request on the connection isn't out yet.
      response.socket?.write(`${begun ? '' : begin()}${name}: ${value}\r\n`)
      return true
    },
    end(status) {
      response.statusCode = begun ? 200 : status
      if (begun && response.socket?.writable) flushWithoutStatusLine(response)
    },
  }
}

function flushWithoutStatusLine(response: ServerResponse): void {
  const socket = response.socket!
  const write = socket.write
  let rest: string | undefined
  socket.write = (text: unknown) => {
    rest = typeof text === 'string' ? /^HTTP\/1\.1 200 OK\r\n(.*\r\n\r\n)$/s.exec(text)?.[1] : undefined
    return true
  }
  try {
    response.flushHeaders()
  } finally {
    socket.write = write
  }
  if (rest === undefined) throw new Error("node:http didn't write the head in one piece")
  socket.write(rest, 'latin1')
}
