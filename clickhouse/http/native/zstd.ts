import zlib from 'node:zlib'

/** The first version of Node that reads ZSTD. */
export const ZSTD_NODE = '22.15'

type Done = (error: Error | null, bytes: Buffer) => void
type Zstd = (data: Buffer, options: { maxOutputLength: number }, done: Done) => void

/** Absent in older versions of Node. */
const native = (zlib as unknown as { zstdDecompress?: Zstd }).zstdDecompress

/**
 * Decompresses ZSTD beside the event loop, and stops where it becomes longer than said. Undefined where this Node has
 * no ZSTD: what there is in JavaScript knows no bound of what a block becomes.
 *
 * @param size bytes that it must become
 * @returns undefined when the data is no ZSTD of this size
 */
export const decompressZstd: ((data: Buffer, size: number) => Promise<Buffer | undefined>) | undefined =
  native &&
  ((data, size) =>
    new Promise(resolve =>
      // At least 1: zlib knows no other bound.
      native(data, { maxOutputLength: Math.max(size, 1) }, (error, bytes) =>
        resolve(error || bytes.length !== size ? undefined : bytes),
      ),
    ))
