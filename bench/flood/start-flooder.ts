import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Commands to the flooder, one at a time; it answers each with a `FlooderAnswer`. */
export type FlooderCommand = { do: 'names' } | { do: 'prepare'; name: string; seconds: number } | { do: 'send' }

/** Names of floods, or how many answers of each status there were. */
export type FlooderAnswer = { names: string[] } | { answers: [number, number][] } | Record<string, never>

/** A process that floods a collector. */
export interface Flooder {
  /** Returns the names of the floods it knows. */
  names(): Promise<string[]>
  /** Makes ready what is sent, so that making it takes nothing from what is measured. */
  prepare(name: string, seconds: number): Promise<void>
  /** Sends it. Resolves to the number of answers by status. */
  send(): Promise<Map<number, number>>
  stop(): void
}

/** Starts a process of its own, because what it does must not keep the one that measures from looking at its clock. */
export function startFlooder(url: string, writeKey: string): Flooder {
  const child = fork(fileURLToPath(new URL('./flooder.js', import.meta.url)), [url, writeKey])
  async function ask(command: FlooderCommand): Promise<FlooderAnswer> {
    child.send(command)
    const [answer] = await once(child, 'message')
    return answer as FlooderAnswer
  }
  return {
    names: async () => ((await ask({ do: 'names' })) as { names: string[] }).names,
    prepare: async (name, seconds) => {
      await ask({ do: 'prepare', name, seconds })
    },
    send: async () => new Map(((await ask({ do: 'send' })) as { answers: [number, number][] }).answers),
    stop: () => child.kill(),
  }
}
