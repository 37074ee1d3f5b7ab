import type { PluginApi } from '../../client/plugin-api.js'

/** Errors that are reported per page view: a page in a loop has one problem, not a thousand. */
const MAX_ERRORS = 10

/** Characters of a message that are kept: it may quote what the page was working on. */
const MAX_MESSAGE = 300

/** Errors that browsers report although nothing is wrong (https://github.com/w3c/csswg-drafts/issues/5487). */
const HARMLESS = /^ResizeObserver loop /

/**
 * Tracks `Page Error` {message, source, line, column} for uncaught errors and rejections: each once per page
 * view, ten at most. The source has no query; those of browser extensions are left out.
 */
export function errors({ track, listeners, beforePage }: PluginApi): () => void {
  const seen = new Set<string>()
  const report = (message: string, source = '', line = 0, column = 0) => {
    const key = JSON.stringify([message, source, line])
    if (!message || HARMLESS.test(message) || /^\w+-extension:/.test(source)) return
    if (seen.has(key) || seen.size >= MAX_ERRORS) return
    seen.add(key)
    track('Page Error', { message: message.slice(0, MAX_MESSAGE), source: source.replace(/[?#].*/s, ''), line, column })
  }
  listeners.on(window, 'error', event => {
    const { message, filename, lineno, colno } = event as ErrorEvent
    report(message, filename, lineno, colno)
  })
  listeners.on(window, 'unhandledrejection', event => {
    const { reason } = event as PromiseRejectionEvent
    const [, source, line, column] = /((?:https?|file|\w+-extension):\S+?):(\d+):(\d+)/.exec(stackOf(reason)) ?? []
    report(textOf(reason), source, Number(line ?? 0), Number(column ?? 0))
  })
  beforePage(() => seen.clear())
  return () => {}
}

function stackOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? '') : ''
}

/** Only errors and texts: another object could be anything, a person's data among it. */
function textOf(reason: unknown): string {
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`
  return typeof reason === 'string' ? reason : 'A promise was rejected with something that is no Error'
}
