/**
 * Crawlers that name themselves, as their operators document it: search engines, archives, previews of links, monitors,
 * and what collects texts for models. HTTP libraries and headless browsers are not among them: tests, servers and
 * readers have one, too.
 */
const CRAWLERS: readonly string[] = [
  // Search engines and shops.
  ...['Googlebot', 'AdsBot-Google', 'Mediapartners-Google', 'APIs-Google', 'FeedFetcher-Google', 'GoogleOther'],
  ...['Google-InspectionTool', 'Storebot-Google', 'Google-Extended', 'bingbot', 'adidxbot', 'BingPreview', 'msnbot'],
  ...['DuckDuckBot', 'DuckAssistBot', 'YandexBot', 'YandexImages', 'YandexMobileBot', 'YandexMetrika', 'Baiduspider'],
  ...['Applebot', 'Slurp', 'Sogou web spider', 'Exabot', 'SeznamBot', 'Qwantify', 'Qwantbot', 'MojeekBot', 'Yeti'],
  ...['PetalBot', 'Bytespider', 'Amazonbot', 'Coccocbot', 'Daum', '360Spider', 'YisouSpider', 'BraveBot'],
  // Previews of links.
  ...['facebookexternalhit', 'facebookcatalog', 'meta-externalagent', 'meta-externalfetcher', 'Twitterbot'],
  ...['LinkedInBot', 'Pinterestbot', 'Slackbot', 'Slack-ImgProxy', 'Discordbot', 'TelegramBot', 'redditbot', 'Tumblr'],
  ...['SkypeUriPreview', 'vkShare', 'Embedly', 'Iframely', 'W3C_Validator'],
  // Texts for models.
  ...['GPTBot', 'ChatGPT-User', 'OAI-SearchBot', 'ClaudeBot', 'Claude-User', 'Claude-SearchBot', 'anthropic-ai'],
  ...['PerplexityBot', 'Perplexity-User', 'CCBot', 'cohere-ai', 'Diffbot', 'YouBot', 'AI2Bot', 'Timpibot', 'omgili'],
  // Archives, links and ranks.
  ...['archive.org_bot', 'ia_archiver', 'heritrix', 'AhrefsBot', 'AhrefsSiteAudit', 'SemrushBot', 'MJ12bot', 'DotBot'],
  ...['rogerbot', 'BLEXBot', 'DataForSeoBot', 'serpstatbot', 'SEOkicks', 'Barkrowler', 'Screaming Frog', 'Sitebulb'],
  ...['MegaIndex', 'linkdexbot', 'ZoominfoBot', 'proximic', 'GrapeshotCrawler', 'ias_crawler', 'Nutch'],
  // Monitors.
  ...['UptimeRobot', 'Pingdom.com_bot', 'StatusCake', 'Better Uptime Bot', 'Site24x7', 'Datadog/Synthetics'],
  ...[
    'DatadogSynthetics',
    'Chrome-Lighthouse',
    'GTmetrix',
    'PTST',
    'Catchpoint',
    'New-Relic-Synthetics',
    'CensysInspect',
  ],
]

/** Names as they are in user agents, in small letters. */
const NAMES: readonly [text: string, name: string][] = CRAWLERS.map(name => [name.toLowerCase(), name])

/** Returns the name of the crawler that a user agent says it is; undefined for all else. */
export function crawlerOf(userAgent: string): string | undefined {
  const text = userAgent.toLowerCase()
  return NAMES.find(([name]) => isWord(text, name))?.[1]
}

/** A name stands by itself: not within a longer word. */
function isWord(text: string, name: string): boolean {
  const at = text.indexOf(name)
  if (at === -1) return false
  return !isLetter(text[at - 1]) && !isLetter(text[at + name.length])
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[a-z]/.test(character)
}
