/** Lines that a command prints, and how it fails. */
export interface CommandOutcome {
  said: string[]
  failed: string | undefined
}

/** Runs a command to its end. */
export async function outcomeOf(run: (print: (line: string) => void) => Promise<unknown>): Promise<CommandOutcome> {
  const said: string[] = []
  const failed = await run(line => said.push(line)).then(
    () => undefined,
    (error: Error) => error.message,
  )
  return { said, failed }
}
