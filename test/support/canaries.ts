import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What SQL must not reach: a file with a secret, and a server that counts who connects. */
export interface Canaries {
  /** A temporary folder, with the file in it. */
  folder: string
  file: string
  port: number
  connections(): number
  /** Ends the server and removes the folder. */
  remove(): void
}

/** Puts up the canaries. The folder's name begins with `name`, the file holds `secret`. */
export async function putUpCanaries(name: string, secret: string): Promise<Canaries> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  const file = join(folder, 'canary.csv')
  writeFileSync(file, `${secret}\n`)
  let connections = 0
  const server = createServer(socket => {
    connections++
    socket.destroy()
  })
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  return {
    folder,
    file,
    port,
    connections: () => connections,
    remove() {
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
