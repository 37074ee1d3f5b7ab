import { connect, type Socket } from 'node:net'

/** A connection that says what it is told to, byte by byte, and keeps what comes back. */
export interface RawConnection {
  socket: Socket
  /** What was received so far. */
  received(): string
  closed: Promise<void>
}

/** Opens a connection to the server of a URL and writes to it. Resolves when it is open. */
export function openRaw(url: string, text: string | Uint8Array = ''): Promise<RawConnection> {
  const { port, hostname } = new URL(url)
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(Number(port), hostname)
    const closed = new Promise<void>(done => socket.once('close', () => done()))
    socket.once('error', reject)
    socket.on('error', () => {})
    socket.on('data', chunk => {
      received += chunk
    })
    socket.once('connect', () => {
      if (text.length > 0) socket.write(text)
      resolve({ socket, received: () => received, closed })
    })
  })
}

/** The head of a request for a batch, in the words of HTTP, with a body that is still to come. */
export function batchHead(headers: Record<string, string | number>, path = '/v1/batch'): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\nHost: collector.example\r\n${lines.join('')}\r\n`
}
