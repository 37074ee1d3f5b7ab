import type { Duplex } from 'node:stream'
import { ClickHouseException, formatException } from '../../errors.js'
import { SAFE_HEADERS } from '../web-pages.js'

/** Queries travel in the URL: the client sends an INSERT's SQL there, and parameters up to 4 KB. */
export const MAX_HEAD_BYTES = 128 * 1024

/** How long a client may go on sending what nothing reads any more, before it is cut off from the answer. */
const LINGER_MS = 2_000

interface Answer {
  status: string
  exception?: ClickHouseException
}

/** By the code of node's error; any other is a request that is no HTTP. */
const ANSWERS: Record<string, Answer> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: '413 Payload Too Large' },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    exception: new ClickHouseException(
      223,
      'QUERY_IS_TOO_LARGE',
      `The URL and the headers have more than ${MAX_HEAD_BYTES} bytes together: send the statement in the body of a ` +
        'POST, and long parameters as fields of a multipart/form-data body (param_name)',
    ),
  },
}

/** Answers a request that node could not read, with what is wrong where a client can do something about it. */
export function answerClientError(error: Error & { code?: string }, socket: Duplex, version: string): void {
  const begun = (socket as { _httpMessage?: { _headerSent?: boolean } | null })._httpMessage?._headerSent
  if (!socket.writable || begun || error.code === 'ECONNRESET') return void socket.destroy()
  const { status, exception } = ANSWERS[error.code ?? ''] ?? { status: '400 Bad Request' }
  const body = exception ? formatException(exception, version) : ''
  const headers = [
    ...SAFE_HEADERS,
    ['Connection', 'close'],
    ['Content-Type', 'text/plain; charset=UTF-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ...(exception ? [['X-ClickHouse-Exception-Code', String(exception.code)]] : []),
  ]
  socket.end(`HTTP/1.1 ${status}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  // Closed at once, a client that still sends would get a reset instead of the answer.
  const timer = setTimeout(() => socket.destroy(), exception ? LINGER_MS : 0)
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
}
