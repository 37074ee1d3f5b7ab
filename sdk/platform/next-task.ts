/** Resolves in a later task, or after a while: for what need not keep the page waiting while it starts. */
export const nextTask = (delayMs = 0) => new Promise<void>(resolve => setTimeout(resolve, delayMs))
