import { existsSync, readFileSync } from 'node:fs'

/** Version of the code that runs, as in package.json: of the sources and of what is built in dist/. */
export const VERSION: string = readVersion()

function readVersion(): string {
  const beside = new URL('../package.json', import.meta.url)
  const file = existsSync(beside) ? beside : new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
