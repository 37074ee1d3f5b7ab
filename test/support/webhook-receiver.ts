import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** A request that a webhook got. */
export interface Received {
  path: string
  headers: IncomingHttpHeaders
  /** As it was sent. */
  text: string
  body: { type: string; timestamp: string; data: Record<string, unknown> & { signalId: string; anonymousId: string } }
  /** Status that it was answered with. */
  status: number
}

/** Answer of a receiver; a number is a status without more. */
export type ReceiverAnswer = number | { status: number; headers?: Record<string, string>; body?: string }

/** A server that webhooks send to. `answer` may be exchanged at any time. */
export async function startReceiver(first: (request: Omit<Received, 'status'>) => ReceiverAnswer = () => 204) {
  const received: Received[] = []
  const receiver = { answer: first }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const got = { path: request.url ?? '', headers: request.headers, text, body: text ? JSON.parse(text) : undefined }
      const answer = receiver.answer(got)
      const { status, headers = {}, body = '' } = typeof answer === 'number' ? { status: answer } : answer
      received.push({ ...got, status })
      response.writeHead(status, headers).end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    /** Those that were taken, and of a path if one is named. */
    taken: (path?: string) =>
      received.filter(({ status, ...got }) => status < 300 && (path === undefined || got.path === path)),
    /** Verifies a request as a receiver does. Throws when the signature is wrong, or too old. */
    verify: ({ text, headers }: Received, secret: string) =>
      new Webhook(secret).verify(text, headers as Record<string, string>),
    async stop(): Promise<void> {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  })
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
