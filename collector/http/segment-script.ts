import { readFile } from 'node:fs/promises'
import type { RequestHandler } from 'express'
import type { Sites } from '../sites.js'
import { Failure } from './failure.js'
import { servedScript } from './sdk-file.js'

/** Puts the tag into the form that the bundle reads its options from. The address only says where its parts are. */
const before = (writeKey: string) => `{
  const tag = document.currentScript
  tag.dataset.writeKey = ${JSON.stringify(writeKey)}
  tag.dataset.autoPage = "false"
  tag.src = tag.src.replace(/analytics\\.js\\/v1\\/.*/, "sdk.js")
}
`

/** Makes the snippet's `window.analytics` calls of the SDK, those first that the page made before. */
const AFTER = `
{
  const sdk = window.slotstream
  const queue = Array.isArray(window.analytics) ? window.analytics : (window.analytics = [])
  const calls = {
    track: (event, properties) => sdk.track(event, properties),
    page: (...given) => {
      const names = given.filter(each => typeof each === "string")
      const properties = given.find(each => typeof each === "object")
      sdk.page(names.at(-1), names[1] ? { category: names[0], ...properties } : properties)
    },
    identify: (id, traits) => sdk.identify(id, traits),
    group: (id, traits) => sdk.group(id, traits),
    alias: id => sdk.alias(id),
    reset: () => sdk.reset(),
    ready: run => void setTimeout(run),
  }
  Object.assign(queue, calls)
  for (const [name, ...given] of queue.splice(0)) if (Object.hasOwn(calls, name)) calls[name](...given)
}
`

/**
 * Serves what Segment's snippet loads, `/analytics.js/v1/<write key>/analytics.min.js`: the script-tag bundle with that
 * key. Scripts are kept for known keys alone.
 *
 * @throws Failure `unknown_key`
 */
export function segmentScript(path: string, sites: Pick<Sites, 'byWriteKey'>): RequestHandler {
  const scripts = new Map<string, RequestHandler>()
  return (request, response, next) => {
    const { writeKey } = request.params
    if (typeof writeKey !== 'string' || !sites.byWriteKey(writeKey))
      throw new Failure('unknown_key', 'no site has this write key')
    const served =
      scripts.get(writeKey) ??
      servedScript(async () => Buffer.from(`${before(writeKey)}${await readFile(path, 'utf8')}${AFTER}`))
    scripts.set(writeKey, served)
    return served(request, response, next)
  }
}
