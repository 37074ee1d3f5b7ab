/** Resolves in a later task: for what need not keep the page waiting while it starts. */
export const nextTask = () => new Promise<void>(resolve => setTimeout(resolve))
