import type { Channel } from '@slotstream/protocol'

/**
 * Hosts by what they are, with the name that is stored. `google.*` stands for any ending; a host covers those below it,
 * that of a search engine only those of `SEARCH_LABELS`: its mail, its maps and its log-in are no search.
 */
export const REFERRERS: [channel: Channel, source: string, hosts: string][] = [
  ['email', 'gmail', 'mail.google.com com.google.android.gm'],
  ['email', 'outlook', 'outlook.live.com outlook.office.com outlook.office365.com'],
  ['email', 'yahoo mail', 'mail.yahoo.com'],
  ['email', 'gmx', 'gmx.net gmx.com'],
  ['email', 'proton', 'mail.proton.me'],
  ['email', 'yahoo mail', 'mail.yahoo.co.jp'],
  ['email', 'yandex mail', 'mail.yandex.ru mail.yandex.com'],
  ['email', 'aol mail', 'mail.aol.com'],
  ['email', 'mail.ru', 'e.mail.ru'],
  ['search', 'google', 'google.* com.google.android.googlequicksearchbox'],
  ['search', 'bing', 'bing.com'],
  ['search', 'duckduckgo', 'duckduckgo.com'],
  ['search', 'yahoo', 'search.yahoo.com yahoo.co.jp'],
  ['search', 'yandex', 'yandex.* ya.ru'],
  ['search', 'baidu', 'baidu.com'],
  ['search', 'ecosia', 'ecosia.org'],
  ['search', 'qwant', 'qwant.com'],
  ['search', 'startpage', 'startpage.com'],
  ['search', 'brave', 'search.brave.com'],
  ['search', 'naver', 'search.naver.com'],
  ['search', 'seznam', 'search.seznam.cz'],
  ['search', 'sogou', 'sogou.com'],
  ['search', 'aol', 'search.aol.com'],
  ['search', 'kagi', 'kagi.com'],
  ['social', 'facebook', 'facebook.com fb.com fb.me messenger.com'],
  ['social', 'instagram', 'instagram.com'],
  ['social', 'threads', 'threads.net threads.com'],
  ['social', 'x', 'x.com twitter.com t.co'],
  ['social', 'linkedin', 'linkedin.com lnkd.in com.linkedin.android'],
  ['social', 'youtube', 'youtube.com youtu.be'],
  ['social', 'tiktok', 'tiktok.com'],
  ['social', 'pinterest', 'pinterest.* pin.it'],
  ['social', 'reddit', 'reddit.com out.reddit.com'],
  ['social', 'whatsapp', 'whatsapp.com wa.me'],
  ['social', 'telegram', 't.me telegram.org org.telegram.messenger'],
  ['social', 'mastodon', 'mastodon.social mastodon.online'],
  ['social', 'bluesky', 'bsky.app'],
  ['social', 'vk', 'vk.com'],
  ['social', 'weibo', 'weibo.com'],
  ['social', 'xing', 'xing.com'],
  ['social', 'snapchat', 'snapchat.com'],
  ['social', 'hacker news', 'news.ycombinator.com'],
]

/**
 * Labels before the host of a search engine where it searches: mobile and plain pages, countries and languages
 * (`cn.bing.com`, `de.search.yahoo.com`), and kinds of search.
 */
export const SEARCH_LABELS =
  /^(m|wap|mobile|www\d*|[a-z]{2}|[a-z]{2}-[a-z]{2}|search|images?|video|scholar|lens|shopping|cse|encrypted|html|lite|safe)$/

/** Parameters that advertising networks add to the address behind a paid click. */
export const CLICK_IDS: [parameter: string, source: string][] = [
  ['gclid', 'google'],
  ['gbraid', 'google'],
  ['wbraid', 'google'],
  ['dclid', 'google'],
  ['msclkid', 'bing'],
  ['ttclid', 'tiktok'],
  ['twclid', 'x'],
  ['li_fat_id', 'linkedin'],
  ['epik', 'pinterest'],
]

/** Values of `utm_medium`, the first that fits. */
export const MEDIA: [pattern: RegExp, channel: Channel][] = [
  [/^(cpc|ppc|cpm|cpv|cpa|paid|paid.*|.*[-_ ]?cpc|display|banner|retargeting|remarketing|affiliate|ads?)$/, 'paid'],
  [/^(e-?mail|newsletter|mailing|crm)$/, 'email'],
  [/^(social|social[-_ ]?(media|network|post)|sm)$/, 'social'],
  [/^(organic|search|seo)$/, 'search'],
  [/^(referral|partner|link)$/, 'referral'],
]
