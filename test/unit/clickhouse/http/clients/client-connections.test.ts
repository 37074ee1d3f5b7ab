import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ClientConnections, createClientConnections } from '#clickhouse/http/clients/client-connections.js'

let connections: ClientConnections
beforeEach(() => {
  connections = createClientConnections(4, 120_000)
})
afterEach(() => connections.stop())

function connect(): Socket {
  const socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    bytesWritten: 0,
    writableLength: 0,
    destroy() {
      socket.destroyed = true
      socket.emit('close')
    },
  })
  connections.add(socket as unknown as Socket)
  return socket as unknown as Socket
}
const closed = (sockets: Socket[]): boolean[] => sockets.map(({ destroyed }) => destroyed)

it('beyond the bound, the one where nothing happened for the longest time is closed', () => {
  const sockets = [connect(), connect(), connect(), connect()]
  connections.begin(sockets[0]!)
  connections.end(sockets[0]!)
  sockets.push(connect())
  expect(closed(sockets)).toEqual([false, true, false, false, false])
})

it('those of the trusted user are neither counted nor closed', () => {
  const trusted = [connect(), connect(), connect()]
  for (const socket of trusted) connections.trust(socket)
  const others = [connect(), connect(), connect(), connect(), connect()]
  expect(closed(trusted)).toEqual([false, false, false])
  expect(closed(others)).toEqual([true, false, false, false, false])
  for (const socket of trusted) connections.begin(socket)
  expect(() => connections.begin(others[1]!)).not.toThrow()
})

it('half may have a whole request, and aren’t closed', () => {
  const sockets = [connect(), connect(), connect(), connect()]
  connections.begin(sockets[0]!)
  connections.begin(sockets[1]!)
  expect(() => connections.begin(sockets[2]!)).toThrow('2 requests are worked on')
  const later = [connect(), connect(), connect()]
  expect(closed([...sockets, ...later])).toEqual([false, false, true, true, true, false, false])
  connections.end(sockets[0]!)
  expect(() => connections.begin(later[2]!)).not.toThrow()
})

it('a closed one leaves its place, whatever it had', () => {
  const first = [connect(), connect()]
  for (const socket of first) connections.begin(socket)
  for (const socket of first) socket.destroy()
  const next = [connect(), connect(), connect(), connect()]
  connections.begin(next[0]!)
  expect(() => connections.begin(next[1]!)).not.toThrow()
  expect(closed(next)).toEqual([false, false, false, false])
})
