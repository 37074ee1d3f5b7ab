import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoadCommand, LoadResult } from './load.js'

/** Runs the load generator in a process of its own. */
export function runLoad(command: LoadCommand): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load.js', import.meta.url)))
  child.send(command)
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as LoadResult))
    child.once('exit', code => reject(new Error(`the load generator ended with code ${code}`)))
  })
}
