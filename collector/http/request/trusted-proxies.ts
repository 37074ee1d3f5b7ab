import type { IncomingMessage } from 'node:http'
import { createMemo } from '@slotstream/protocol'
import { MAX_ADDRESS_LENGTH } from '@slotstream/runtime'
import express from 'express'
import type { Origin } from '../../safety/limits.js'
import type { CollectorSettings } from '../../settings.js'
import { clientAddress, peerAddress, type Trusts } from './client-address.js'

/** Addresses of which it is remembered whether they are a proxy's. */
const MAX_REMEMBERED = 1_000

/** Returns Express's own reading of the setting, for requests that don't go through it. */
export function trustsOf(trustProxy: CollectorSettings['trustProxy']): Trusts {
  const app = express()
  app.set('trust proxy', trustProxy)
  const trusts = app.get('trust proxy fn') as Trusts
  // A number counts hops, whatever their addresses; addresses are taken apart, and those of proxies come with every
  // request.
  if (typeof trustProxy === 'number') return trusts
  const bounds = { max: MAX_REMEMBERED, maxKeyLength: MAX_ADDRESS_LENGTH }
  const isTrusted = createMemo(bounds, address => trusts(address, 0))
  return address => isTrusted(address)
}

/** Tells where a request comes from, for its limits. */
export function originOf(request: IncomingMessage, trusts: Trusts): Origin {
  const address = clientAddress(request, trusts)
  return { address, isOwn: address === peerAddress(request) && trusts(address, 0) }
}
