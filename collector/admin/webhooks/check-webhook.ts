import { unknownName } from '@slotstream/core'
import {
  type DefinitionCheck,
  isDefinitionName,
  MAX_SIGNALS,
  MAX_WEBHOOK_URL_BYTES,
  shownFaults,
  unknownFields,
} from '@slotstream/protocol'
import { isPrivateHost } from '@slotstream/runtime'

/** A webhook as it is declared. */
export interface WebhookDeclaration {
  url: string
  /** Names of the signals that it gets; empty: all. */
  signals: string[]
}

const FIELDS = ['url', 'signals']

/**
 * Checks a webhook that is declared: one line for each fault, naming the field.
 *
 * @param names of signals that the site can have
 * @param allowPrivate whether URLs without TLS and hosts of private networks are permitted
 */
export function checkWebhook(
  body: Record<string, unknown>,
  names: readonly string[],
  allowPrivate: boolean,
): DefinitionCheck<WebhookDeclaration> {
  const { url, signals = [] } = body
  const faults = unknownFields(body, FIELDS, 'webhook')
  const wrong = urlFault(url, allowPrivate)
  if (wrong !== undefined) faults.push(`url: ${wrong}`)
  faults.push(...signalFaults(signals, names))
  if (faults.length > 0) return { ok: false, faults: shownFaults(faults) }
  return { ok: true, value: { url: new URL(url as string).href, signals: [...new Set(signals as string[])] } }
}

function signalFaults(signals: unknown, names: readonly string[]): string[] {
  if (!Array.isArray(signals)) return ['signals: must be a list of names of signals; leave it out for all']
  if (signals.length > MAX_SIGNALS) return [`signals: has ${signals.length} names, ${MAX_SIGNALS} are allowed`]
  return signals.flatMap((name, index) => {
    if (!isDefinitionName(name)) return [`signals[${index}]: must be the name of a signal, such as "cart_abandonment"`]
    // A pattern that is declared later would be one that was misspelt, as far as this can tell.
    return names.includes(name) ? [] : [`signals[${index}]: ${unknownName('signal', name, names)}`]
  })
}

function urlFault(url: unknown, allowPrivate: boolean): string | undefined {
  const scheme = allowPrivate ? 'http:// or https://' : 'https://'
  if (typeof url !== 'string' || !URL.canParse(url)) return `must be a URL that begins with ${scheme}`
  const { protocol, username, password, hostname, hash, href } = new URL(url)
  // As it is stored: characters beyond ASCII become longer.
  if (Buffer.byteLength(href) > MAX_WEBHOOK_URL_BYTES)
    return `has ${Buffer.byteLength(href)} bytes, ${MAX_WEBHOOK_URL_BYTES} are allowed`
  if (protocol !== 'https:' && !(allowPrivate && protocol === 'http:')) return `must begin with ${scheme}`
  if (username || password)
    return 'must have no user and password: check the signature of the requests, or put a token into the path'
  if (hash) return 'must have no fragment: what follows # is not sent'
  if (!allowPrivate && isPrivateHost(hostname))
    return `is at ${hostname}, in a private network: give a public host, or start with WEBHOOK_ALLOW_PRIVATE=1`
  return undefined
}
