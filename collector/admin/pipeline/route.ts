import { DEAD_LETTERS } from '@slotstream/protocol'
import { gatherStatus, type Nats } from '@slotstream/runtime'
import type { RequestHandler } from 'express'
import { mergeReports, type StreamState } from './merge.js'
import { statusPage } from './page.js'
import { warningsOf } from './warnings.js'

/** JetStream's time of a message that does not exist. */
const NO_TIME = '0001-01-01'

/** `GET /v1/admin/pipeline`: the status of the installation; JSON, or a page for clients that prefer `text/html`. */
export function pipelineRoute(nats: Nats, partitions: number): RequestHandler {
  return async (request, response) => {
    const [reports, streams] = await Promise.all([gatherStatus(nats), readStreams(nats)])
    const deadLettersWaiting = streams.find(({ name }) => name === DEAD_LETTERS.name)?.messages ?? 0
    const status = mergeReports(reports, streams, { now: Date.now(), partitions, deadLettersWaiting })
    const warnings = warningsOf(status)
    response.set('Cache-Control', 'no-store').set('Vary', 'Accept')
    if (request.accepts(['json', 'html']) !== 'html') return void response.json({ warnings, ...status })
    response.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
    response.type('html').send(statusPage(status, warnings))
  }
}

async function readStreams({ manager }: Pick<Nats, 'manager'>): Promise<StreamState[]> {
  const streams: StreamState[] = []
  for await (const { config, state } of manager.streams.list()) {
    const maxBytes = limit(config.max_bytes)
    const maxMessages = limit(config.max_msgs)
    const shares = [maxBytes && state.bytes / maxBytes, maxMessages && state.messages / maxMessages]
    streams.push({
      name: config.name,
      messages: state.messages,
      bytes: state.bytes,
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      firstAt: timeOf(state.first_ts),
      lastAt: timeOf(state.last_ts),
      consumers: state.consumer_count,
      replicas: config.num_replicas,
      maxBytes,
      maxMessages,
      maxAgeSeconds: config.max_age > 0 ? config.max_age / 1e9 : null,
      full: maxBytes || maxMessages ? Math.max(...shares.map(share => share ?? 0)) : null,
    })
  }
  return streams.sort((a, b) => a.name.localeCompare(b.name))
}

function limit(value: number): number | null {
  return value > 0 ? value : null
}

function timeOf(text: string): string | null {
  return text.startsWith(NO_TIME) ? null : new Date(text).toISOString()
}
