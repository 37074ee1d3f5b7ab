import { createSocket, type Socket } from 'node:dgram'
import { createServer } from 'node:net'
import { ConfigurationError } from '@slotstream/runtime'

/** How many ports after the usual one are tried. */
const TRIES = 200
const LAST_PORT = 65_535
const LOOPBACK = '127.0.0.1'

/** A port that is needed. */
export interface PortWish {
  /** The setting that chooses it. */
  variable: string
  port: number
  /** Another one does as well, because no person chose this one. */
  movable: boolean
}

export interface ReservedPorts {
  /** Numbers by setting. */
  ports: Record<string, number>
  /** Those that are not what was wished, because that is taken. */
  moved: { variable: string; from: number; to: number }[]
  /** Ends the reservation. It also ends with this process. */
  release(): void
}

/**
 * Chooses a port for each wish, all different: the one wished, or the next free one where it is movable. They stay
 * reserved: between the choice and the moment at which a program listens, seconds pass, in which another copy may
 * start.
 *
 * @throws ConfigurationError that names the variable to change
 */
export async function reservePorts(wishes: readonly PortWish[]): Promise<ReservedPorts> {
  const marks: Socket[] = []
  const release = () => {
    for (const mark of marks.splice(0)) mark.close()
  }
  const chosen = new Map<string, number>()
  try {
    // What can't move comes first: the others go out of its way.
    for (const wish of [...wishes].sort((a, b) => Number(a.movable) - Number(b.movable)))
      chosen.set(
        wish.variable,
        wish.movable ? await nextFree(wish, chosen, marks) : await asChosen(wish, chosen, marks),
      )
  } catch (error) {
    release()
    throw error
  }
  const moved = wishes
    .map(({ variable, port }) => ({ variable, from: port, to: chosen.get(variable)! }))
    .filter(({ from, to }) => from !== to)
  return { ports: Object.fromEntries(chosen), moved, release }
}

async function asChosen({ variable, port }: PortWish, chosen: ReadonlyMap<string, number>, marks: Socket[]) {
  const twin = [...chosen].find(([, other]) => other === port)?.[0]
  if (twin) throw new ConfigurationError(`${variable} and ${twin} are both ${port}: set one to another port`)
  if (!(await isFree(variable, port)))
    throw new ConfigurationError(
      `port ${port} is taken by another program: stop it, or choose another port with ${variable}=${port + 10} npm start`,
    )
  // Without a mark, too: another program may use the same number for UDP, and a person chose this one.
  const mark = await reserve(port)
  if (mark) marks.push(mark)
  return port
}

async function nextFree({ variable, port }: PortWish, chosen: ReadonlyMap<string, number>, marks: Socket[]) {
  const last = Math.min(port + TRIES, LAST_PORT)
  for (let tried = port; tried <= last; tried++) {
    if ([...chosen.values()].includes(tried)) continue
    const mark = await reserve(tried)
    if (!mark) continue
    if (await isFree(variable, tried)) {
      marks.push(mark)
      return tried
    }
    mark.close()
  }
  throw new ConfigurationError(`the ports ${port} to ${last} are all taken: choose another with ${variable}`)
}

/** Tells whether a program could listen on a port now. */
function isFree(variable: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE'
        ? resolve(false)
        : reject(new ConfigurationError(`port ${port} (${variable}) can't be used: ${error.message}`)),
    )
    probe.listen(port, LOOPBACK, () => probe.close(() => resolve(true)))
  })
}

/**
 * Marks a port as meant for a program of this start, by its number's UDP port, which no program of ours uses: the
 * system gives it to one process alone, and takes it back from one that was killed. Undefined when another process has
 * it.
 */
function reserve(port: number): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const mark = createSocket('udp4')
    mark.once('error', () => {
      mark.close()
      resolve(undefined)
    })
    mark.bind({ port, address: LOOPBACK, exclusive: true }, () => {
      mark.on('error', () => {})
      mark.unref()
      resolve(mark)
    })
  })
}
