import { join } from 'node:path'

/** Returns the folder in which the started nats-server keeps its streams. */
export function natsDir(dataDir: string): string {
  return join(dataDir, 'nats')
}
