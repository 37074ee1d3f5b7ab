import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Starts the baseline server. With `answer`, it answers 200 with that text, otherwise 204. */
export async function startBareServer(answer?: string) {
  const program = fileURLToPath(new URL('./bare-server.js', import.meta.url))
  const child = fork(program, answer === undefined ? [] : [answer])
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', message => resolve(Number(message)))
    child.once('exit', code => reject(new Error(`the baseline server ended with code ${code}`)))
  })
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, stop: () => child.disconnect() }
}
