import { createMemo } from '@slotstream/protocol'
import { isbot, isbotMatch } from 'isbot'
import { UAParser } from 'ua-parser-js'
import { crawlerOf } from './named-crawlers.js'

/** User agents that are remembered. Parsing one costs a tenth of a millisecond; a site sees some thousands. */
const REMEMBERED = 5_000

/** Longest user agent that is kept and read, in characters. Real ones have some hundreds at most. */
export const MAX_USER_AGENT = 512

/** Facts in a user agent, by the names under which they are added to `context`. */
export interface UserAgentFacts {
  device: { browser?: Named; os?: Named; device?: Device }
  /**
   * `reason` is always `user_agent`; `match` is the text that gave it away. `crawler` names one that says who it is:
   * all others may be programs on behalf of persons.
   */
  bot?: { reason: 'user_agent'; match: string; crawler?: string }
}

interface Named {
  name: string
  version?: string
}

interface Device {
  type: string
  manufacturer?: string
  model?: string
}

/** Creates the function that reads user agents, as far as their first `MAX_USER_AGENT` characters. */
export function createUserAgents(): (userAgent: string) => UserAgentFacts {
  const facts = createMemo({ max: REMEMBERED, maxKeyLength: MAX_USER_AGENT }, read)
  return userAgent => facts(userAgent.length > MAX_USER_AGENT ? beginningOf(userAgent) : userAgent)
}

/**
 * Returns the beginning as a copy: a part of a text keeps the whole of it in memory for as long as it is remembered.
 */
function beginningOf(userAgent: string): string {
  return Buffer.from(userAgent.slice(0, MAX_USER_AGENT)).toString()
}

function read(userAgent: string): UserAgentFacts {
  const { browser, os, device } = new UAParser(userAgent).getResult()
  const facts: UserAgentFacts = { device: {} }
  if (browser.name) facts.device.browser = named(browser.name, browser.version?.split('.')[0])
  if (os.name) facts.device.os = named(os.name, os.version)
  const { type, vendor, model } = device
  // The parser names no type where there is nothing special, which is a desktop if there is a system at all.
  if (type || os.name)
    facts.device.device = {
      type: type ?? 'desktop',
      ...(vendor ? { manufacturer: vendor } : {}),
      ...(model ? { model } : {}),
    }
  const crawler = crawlerOf(userAgent)
  if (crawler !== undefined || isbot(userAgent)) {
    const match = (isbotMatch(userAgent) ?? crawler ?? '').slice(0, 64)
    facts.bot = { reason: 'user_agent', match, ...(crawler !== undefined && { crawler }) }
  }
  return facts
}

function named(name: string, version: string | undefined): Named {
  return version ? { name, version } : { name }
}
