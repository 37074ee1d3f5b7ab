import { createServer } from 'node:net'

/**
 * Where tests listen: below the ports that the system gives to outgoing connections, one of which could take the port
 * of a server that is being started again.
 */
const FIRST = 10_000
const COUNT = 20_000

/** Ports that nothing listens on, all different, and chosen at random: test files run side by side. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
