import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A cable between two programs that can be pulled out. `silent` is the worse kind of cut: neither end is told. */
export async function startTcpProxy(targetPort: number, port = 0) {
  let state: 'whole' | 'cut' | 'silent' = 'whole'
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer(near => {
    if (state !== 'whole') {
      near.destroy()
      return
    }
    const far = connect(targetPort, '127.0.0.1')
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', end)
      from.on('close', end)
      from.pipe(to)
    }
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))

  const each = (act: (socket: Socket) => void) => {
    for (const pair of [...pairs]) for (const socket of pair) act(socket)
  }
  return {
    port: (server.address() as AddressInfo).port,
    /** Breaks every connection, and lets no new one through. */
    cut() {
      state = 'cut'
      each(socket => socket.destroy())
    },
    /** Holds back everything in both directions; the connections stay. */
    silence() {
      state = 'silent'
      each(socket => socket.pause())
    },
    mend() {
      state = 'whole'
      each(socket => socket.resume())
    },
    async stop() {
      each(socket => socket.destroy())
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export type TcpProxy = Awaited<ReturnType<typeof startTcpProxy>>
