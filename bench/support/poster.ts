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
    new Promise((resolve, reject) => {
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
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // The server closed a connection that had been idle just when this was sent on it.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(postRaw(path, data, more))
        else reject(error)
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
