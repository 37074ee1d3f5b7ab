import { once } from 'node:events'
import { constants, createGzip } from 'node:zlib'

/** Size of a chunk of a snapshot, in bytes: below the limit of NATS messages. */
export const CHUNK_BYTES = 512 * 1_024

/** Compresses lines with gzip, and cuts the result into chunks of `CHUNK_BYTES`. */
export async function toChunks(lines: readonly string[]): Promise<Uint8Array[]> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED })
  const parts: Buffer[] = []
  gzip.on('data', (part: Buffer) => parts.push(part))
  const ended = once(gzip, 'end')
  for (const line of lines) if (!gzip.write(`${line}\n`)) await once(gzip, 'drain')
  gzip.end()
  await ended
  const whole = Buffer.concat(parts)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < whole.length; at += CHUNK_BYTES)
    chunks.push(Uint8Array.from(whole.subarray(at, at + CHUNK_BYTES)))
  return chunks
}

/** Yields the lines of a text, each of which ends with a line break. */
export function* linesOf(text: Buffer): Generator<string> {
  let from = 0
  for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, from)) {
    yield text.toString('utf8', from, end)
    from = end + 1
  }
}
