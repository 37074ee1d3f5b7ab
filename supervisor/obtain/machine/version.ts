import type { Machine } from './machine.js'

// A program that doesn't say its version in this time is no program to build on.
const answerTimeoutMs = 30_000

/** Resolves to the answer of a program to `--version`, or the reason why there is none. */
export async function askVersion(
  machine: Pick<Machine, 'run'>,
  path: string,
): Promise<{ printed: string } | { objection: string }> {
  try {
    return { printed: await machine.run(path, ['--version'], { timeoutMs: answerTimeoutMs }) }
  } catch (error) {
    return { objection: error instanceof Error ? error.message : String(error) }
  }
}

/** Parses the version in what a program printed ("nats-server: v2.10.4"), or nothing when there is none. */
export function parseVersion(printed: string): { text: string; major: number; minor: number } | undefined {
  const match = /\bv?((\d+)\.(\d+)(?:\.\d+)?(?:-[\w.]+)?)/.exec(printed)
  if (!match) return undefined
  return { text: match[1]!, major: Number(match[2]), minor: Number(match[3]) }
}
