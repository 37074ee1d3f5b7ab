import { describe, expect, it } from 'vitest'
import { createUserAgents } from '#collector/enrich/user-agent.js'

const describeAgent = createUserAgents()
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1'
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'

describe('a user agent', () => {
  it('tells browser, system and device', () => {
    expect(describeAgent(IPHONE)).toEqual({
      device: {
        browser: { name: 'Mobile Safari', version: '17' },
        os: { name: 'iOS', version: '17.0' },
        device: { type: 'mobile', manufacturer: 'Apple', model: 'iPhone' },
      },
    })
  })

  it('of an ordinary computer is a desktop', () => {
    expect(describeAgent(CHROME).device).toMatchObject({
      browser: { name: 'Chrome', version: '120' },
      device: { type: 'desktop' },
    })
  })

  it.each([
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Google'],
    [CHROME.replace('Chrome', 'HeadlessChrome'), 'Headless'],
    ['curl/8.5.0', 'curl'],
  ])('of a bot says what gave it away: %s', (agent, match) => {
    const { bot } = describeAgent(agent)
    expect(bot?.reason).toBe('user_agent')
    expect(bot?.match).toContain(match)
  })

  it.each([
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot'],
    ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'bingbot'],
    [
      'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
      'GPTBot',
    ],
    ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', 'facebookexternalhit'],
    ['Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)', 'AhrefsBot'],
    [`${CHROME} Chrome-Lighthouse`, 'Chrome-Lighthouse'],
  ])('of a crawler that names itself names it: %s', (agent, crawler) => {
    expect(describeAgent(agent).bot).toMatchObject({ reason: 'user_agent', crawler })
  })

  it.each([
    'curl/8.5.0',
    'node',
    'undici',
    'python-requests/2.31.0',
    'Go-http-client/2.0',
    'okhttp/4.12.0',
    'axios/1.7.2',
    'Playwright/1.48',
    CHROME.replace('Chrome', 'HeadlessChrome'),
    CHROME,
    IPHONE,
    'Mozilla/5.0 (Linux; Android 14; Daumenkino X1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36',
  ])('of a library, a headless browser or a person names no crawler: %s', agent => {
    expect(describeAgent(agent).bot?.crawler).toBeUndefined()
  })

  it('that says nothing adds nothing', () => {
    expect(describeAgent('?').device).toEqual({})
  })
})
