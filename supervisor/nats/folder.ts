import { join } from 'node:path'

/** Where the started nats-server keeps its streams. */
export function natsDir(dataDir: string): string {
  return join(dataDir, 'nats')
}
