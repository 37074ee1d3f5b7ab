import { execFile } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A named pipe that the engine writes a result into and this process reads. */
export interface Pipe {
  path: string
  reader: Socket
  /** Ends the reader, once the writer is done, after the last byte. */
  finish(): void
  /** Gives the pipe back for another query; both ends must be done with it. */
  release(): void
}

export interface Pipes {
  take(): Promise<Pipe>
  close(): void
}

const run = promisify(execFile)

/**
 * Creates named pipes for `SELECT … INTO OUTFILE`. Why not the library's own result stream: it plans the query on the
 * calling thread, so a scalar subquery of three seconds stops the whole server for three seconds, and it repeats the
 * envelope of JSON, Parquet and the WithNames formats in every chunk. A pipe has neither trouble, and back-pressure is
 * the kernel's: the engine blocks while the pipe is not read.
 *
 * @param folder for the pipes alone: what a killed process left in it is deleted
 */
export function createPipes(folder: string): Pipes {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const idle: string[] = []
  let count = 0

  return {
    async take() {
      let path = idle.pop()
      if (!path) {
        path = join(folder, String(count++))
        await run('mkfifo', ['-m', '600', path])
      }
      return openPipe(path, () => idle.push(path))
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function openPipe(path: string, release: () => void): Pipe {
  // Reading end first, or opening the writing end would block. Ours keeps the reader from seeing an end before the
  // engine has opened its own.
  const reader = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false })
  const writer = openSync(path, constants.O_WRONLY)
  let finished = false
  return {
    path,
    reader,
    finish() {
      if (finished) return
      finished = true
      closeSync(writer)
    },
    release,
  }
}
