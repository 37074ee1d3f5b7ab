import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateSync,
  gzipSync,
} from 'node:zlib'
import type { QuerySummary } from '../../engine/execute.js'
import { createBlockEncoder } from '../native/blocks.js'
import { EXCEPTION_TAG_HEADER, exceptionBlock, makeExceptionTag } from './exception-block.js'
import type { Head } from './head.js'

/** Bytes held back before the status goes out, so that an early error still gets its own; not of progress as rows. */
const HOLD = 256 * 1024
/** The same with `wait_end_of_query`; longer results are streamed all the same, so that memory stays bounded. */
const HOLD_EVERYTHING = 64 * 1024 * 1024

/** Brotli's own default would take ten times as long as gzip's for a few bytes less. */
const BROTLI_QUALITY = 4

const ENCODERS = {
  gzip: () => createGzip(),
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  deflate: () => createDeflate(),
}

export type Encoding = keyof typeof ENCODERS

/** Compresses a short text. */
export function compressedAtOnce(encoding: Encoding, text: string): Buffer {
  return { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync }[encoding](text)
}

/** Returns the first of our encodings that an `Accept-Encoding` names. */
export function encodingFor(accepted: string | undefined): Encoding | undefined {
  const names = (accepted ?? '').split(',').map(name => name.split(';')[0]!.trim())
  return (Object.keys(ENCODERS) as Encoding[]).find(encoding => names.includes(encoding))
}

export interface ReplyOptions {
  format: string
  /** Encoding of the body that the client accepts; undefined: none. */
  compress: Encoding | undefined
  /** Whether the body is made of ClickHouse's own compressed blocks (`compress=1`), within the encoding above. */
  blocks: boolean
  holdEverything: boolean
  /** Returns the `Content-Type` of a format. */
  contentTypeOf: (format: string) => string
}

export interface Reply {
  /** Sends a whole result. */
  finish(summary: QuerySummary, body?: Buffer): void
  /**
   * Sends a result as it comes, no faster than the client reads. Resolves with its numbers; rejects when the query
   * fails.
   *
   * @param signal ends the waiting for a client that doesn't read: one that is gone, or any when the server stops
   */
  stream(chunks: AsyncGenerator<Buffer, QuerySummary, undefined>, signal: AbortSignal): Promise<QuerySummary>
  /**
   * Ends a result that has begun by an error, and cuts the connection off: clients that don't know the tag know that.
   *
   * @param text error in ClickHouse's form
   */
  breakOff(text: string): void
}

/** Writes a successful query's response, and what is left to write of its head. */
export function createReply(response: ServerResponse, head: Head, options: ReplyOptions): Reply {
  const started = process.hrtime.bigint()
  const tag = makeExceptionTag()
  let begun: Body | undefined

  function begin(summary: QuerySummary): Writable {
    response.setHeader('Content-Type', options.contentTypeOf(options.format))
    response.setHeader(EXCEPTION_TAG_HEADER, tag)
    response.setHeader('X-ClickHouse-Format', options.format)
    response.setHeader('X-ClickHouse-Timezone', Intl.DateTimeFormat().resolvedOptions().timeZone)
    response.setHeader('X-ClickHouse-Summary', summaryHeader(summary, process.hrtime.bigint() - started))
    if (options.compress) response.setHeader('Content-Encoding', options.compress)
    head.end(200)
    begun = openBody(response, options)
    return begun.sink
  }

  return {
    finish(summary, body) {
      const sink = begin(body ? { ...summary, result_bytes: body.length } : summary)
      sink.end(body ?? '')
    },

    async stream(chunks, signal) {
      const limit = options.holdEverything ? HOLD_EVERYTHING : /WithProgress$/.test(options.format) ? 0 : HOLD
      let buffered: Buffer[] = []
      let length = 0
      let sink: Writable | undefined
      try {
        for (;;) {
          const step = await chunks.next()
          if (step.done) {
            const summary = { ...step.value, result_bytes: length }
            sink ??= begin(summary)
            for (const chunk of buffered) sink.write(chunk)
            sink.end()
            await finished(response)
            return summary
          }
          length += step.value.length
          if (sink) await write(sink, step.value, signal)
          else {
            buffered.push(step.value)
            if (length < limit) continue
            sink = begin({})
            for (const chunk of buffered) await write(sink, chunk, signal)
            buffered = []
          }
        }
      } finally {
        await chunks.return({})
      }
    },

    breakOff(text) {
      if (!begun) return void response.destroy()
      begun.breakOff(exceptionBlock(text, tag))
    },
  }
}

interface Body {
  sink: Writable
  /** Sends these bytes as the last ones, without the end that belongs to a whole body. */
  breakOff(bytes: Buffer): void
}

/** Puts the encoders of a body before its response. */
function openBody(response: ServerResponse, { blocks, compress }: ReplyOptions): Body {
  const encoders = [...(blocks ? [createBlockEncoder()] : []), ...(compress ? [ENCODERS[compress]()] : [])]
  const [first, last] = [encoders[0], encoders.at(-1)]
  const cut = (): void => void response.socket?.destroySoon()
  if (!first || !last) {
    return {
      sink: response,
      breakOff(bytes) {
        response.write(bytes)
        cut()
      },
    }
  }
  if (first !== last) first.pipe(last)
  let isWhole = true
  last.pipe(response, { end: false })
  last.once('end', () => (isWhole ? response.end() : cut()))
  return {
    sink: first,
    breakOff(bytes) {
      isWhole = false
      first.end(bytes)
    },
  }
}

async function write(sink: Writable, chunk: Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (sink.write(chunk)) return
  await once(sink, 'drain', { signal }).catch(error => {
    throw signal.aborted ? signal.reason : error
  })
}

function summaryHeader(summary: QuerySummary, elapsedNs: bigint): string {
  const numbers = { ...summary, elapsed_ns: elapsedNs }
  return JSON.stringify(Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)])))
}
