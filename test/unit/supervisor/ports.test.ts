import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type ReservedPorts, reservePorts } from '#supervisor/ports.js'

const servers: Server[] = []
const reserved: ReservedPorts[] = []

afterEach(async () => {
  for (const each of reserved.splice(0)) each.release()
  for (const server of servers.splice(0)) server.close()
})

/** A port that something listens on. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const port = await takenPort()
  const server = servers.pop()!
  server.close()
  await once(server, 'close')
  return port
}

async function reserve(...wishes: [variable: string, port: number, movable: boolean][]) {
  const result = await reservePorts(wishes.map(([variable, port, movable]) => ({ variable, port, movable })))
  reserved.push(result)
  return result
}

describe('the ports of a start', () => {
  it('are those wished, where they are free', async () => {
    const port = await freePort()
    expect(await reserve(['PORT', port, false])).toMatchObject({ ports: { PORT: port }, moved: [] })
  })

  it('move to the next free one where nobody chose them, past what is taken or meant for another', async () => {
    const port = await takenPort()
    const { ports, moved } = await reserve(
      ['NATS_PORT', port, true],
      ['AGGREGATOR_PORT', port, true],
      ['WAREHOUSE_PORT', port, true],
    )
    expect(new Set(Object.values(ports)).size).toBe(3)
    expect(Math.min(...Object.values(ports))).toBeGreaterThan(port)
    expect(moved.map(({ variable, from }) => [variable, from])).toEqual([
      ['NATS_PORT', port],
      ['AGGREGATOR_PORT', port],
      ['WAREHOUSE_PORT', port],
    ])
  })

  it('go out of the way of one that was chosen', async () => {
    const port = await freePort()
    const { ports } = await reserve(['AGGREGATOR_PORT', port, true], ['PORT', port, false])
    expect(ports.PORT).toBe(port)
    expect(ports.AGGREGATOR_PORT).toBeGreaterThan(port)
  })

  it('that were chosen and are taken are an error that names the setting, and nothing stays reserved', async () => {
    const [free, taken] = [await freePort(), await takenPort()]
    await expect(reserve(['AGGREGATOR_PORT', free, true], ['PORT', taken, false])).rejects.toThrow(
      `port ${taken} is taken by another program: stop it, or choose another port with PORT=${taken + 10} npm start`,
    )
    await expect(reserve(['PORT', free, false], ['NATS_PORT', free, false])).rejects.toThrow(
      `NATS_PORT and PORT are both ${free}: set one to another port`,
    )
    expect((await reserve(['PORT', free, false])).ports).toEqual({ PORT: free })
  })

  it('stay reserved before a program listens on them, so that copies which start at once take others', async () => {
    const port = await freePort()
    const copies = await Promise.all(
      [1, 2, 3].map(() => reserve(['NATS_PORT', port, true], ['PORT', port + 300, true])),
    )
    const ports = copies.flatMap(copy => Object.values(copy.ports))
    expect(new Set(ports).size).toBe(6)
    for (const copy of copies) copy.release()
    expect((await reserve(['NATS_PORT', port, true])).ports.NATS_PORT).toBe(port)
  })
})
