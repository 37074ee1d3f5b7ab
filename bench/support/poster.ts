import { Agent, request } from 'node:http'

export interface Posted {
  status: number
  body: unknown
}

/**
 * Posts JSON over kept-alive connections, as many as are needed at once. Far cheaper than `fetch`, so that this process
 * isn't what is measured.
 */
export function createPoster(baseUrl: string, writeKey: string) {
  const agent = new Agent({ keepAlive: true, scheduling: 'fifo' })
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
  const postRaw = (path: string, data: Buffer, more: Record<string, string> = {}): Promise<Posted> =>
    new Promise<Posted>((resolve, reject) => {
      const headers = {
        'Content-Type': 'application/json',
        'Content-Length': data.length,
        Authorization: authorization,
        ...more,
      }
      const sent = request(baseUrl + path, { method: 'POST', agent, headers }, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) })
        })
      })
      // A server may just have closed a connection that was idle: https://nodejs.org/api/http.html#requestreusedsocket
      sent.once('error', (error: NodeJS.ErrnoException) => {
        if (!sent.reusedSocket || error.code !== 'ECONNRESET') return reject(error)
        postRaw(path, data, more).then(resolve, reject)
      })
      sent.end(data)
    })
  return {
    postRaw,
    post: (path: string, body: object, more?: Record<string, string>) =>
      postRaw(path, Buffer.from(JSON.stringify(body)), more),
    close: () => agent.destroy(),
  }
}

export type Poster = ReturnType<typeof createPoster>
