import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { collectorMetric } from '../support/servers/front-door.js'

/** Connections that are opened at a time. */
const AT_ONCE = 200
const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n'

/** Fate of connections that were opened, used once, and left alone. */
export interface Idle {
  connections: number
  /** Those that answered again at the end. */
  alive: number
  /** Kilobytes of the collector's memory for each. */
  kilobytesEach: number
  /** Latencies that `meanwhile` measured while they were open. */
  latencies: number[]
}

/** Opens connections, asks something over each, does something else, and asks over each again. */
export async function benchIdle(url: string, count: number, meanwhile: () => Promise<number[]>): Promise<Idle> {
  const port = Number(new URL(url).port)
  const memory = () => collectorMetric(url, 'process_resident_memory_bytes')
  const before = await memory()
  const sockets: Socket[] = []
  try {
    while (sockets.length < count) {
      const opened = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => connect(port, '127.0.0.1'))
      sockets.push(...opened)
      await Promise.all(opened.map(ask))
    }
    const kilobytesEach = ((await memory()) - before) / 1024 / count
    const latencies = await meanwhile()
    let alive = 0
    for (let first = 0; first < count; first += AT_ONCE)
      for (const isAlive of await Promise.all(sockets.slice(first, first + AT_ONCE).map(ask))) if (isAlive) alive++
    return { connections: count, alive, kilobytesEach, latencies }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function ask(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false
  socket.on('error', () => {})
  socket.write(REQUEST)
  const answered = once(socket, 'data').then(([chunk]) => String(chunk).startsWith('HTTP/1.1 200'))
  return Promise.race([answered.catch(() => false), once(socket, 'close').then(() => false)])
}
