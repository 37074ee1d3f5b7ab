import { describe, expect, it } from 'vitest'
import { type Arrived, classifyTraffic } from '#collector/enrich/classify-traffic.js'

const own = new Set(['shop.example', 'checkout.example'])
const page = 'https://www.shop.example/p'
const from = (referrer: string, rest: Partial<Arrived> = {}) => classifyTraffic({ url: page, referrer, ...rest }, own)

describe('classifyTraffic', () => {
  it.each([
    ['', 'direct', undefined],
    ['https://shop.example/other', 'internal', undefined],
    ['https://checkout.example/', 'internal', undefined],
    ['https://www.google.co.uk/', 'search', 'google'],
    ['https://google.de/search?q=x', 'search', 'google'],
    ['https://mail.google.com/', 'email', 'gmail'],
    ['android-app://com.google.android.gm/', 'email', 'gmail'],
    ['https://l.facebook.com/l.php', 'social', 'facebook'],
    ['https://t.co/abc', 'social', 'x'],
    ['https://blog.example/post', 'referral', 'blog.example'],
    ['https://google.evil.example/', 'referral', 'google.evil.example'],
    ['https://notgoogle.com/', 'referral', 'notgoogle.com'],
    ['no address', 'direct', undefined],
  ])('knows %j', (referrer, channel, source) => {
    expect(from(referrer)).toEqual({ channel, ...(source ? { source } : {}) })
  })

  it.each([
    ...['accounts.google.com', 'docs.google.com', 'drive.google.com', 'groups.google.com', 'sites.google.com'],
    ...['calendar.google.com', 'meet.google.com', 'classroom.google.com', 'maps.google.de', 'news.google.com'],
    ...['translate.google.co.uk', 'support.google.com', 'passport.yandex.ru', 'market.yandex.ru', 'pan.baidu.com'],
    ...['tieba.baidu.com', 'auctions.yahoo.co.jp', 'help.kagi.com', 'login.live.com', 'login.microsoftonline.com'],
  ])('takes %s for no search', host => {
    expect(from(`https://${host}/`)).toEqual({ channel: 'referral', source: host })
  })

  it.each([
    ['m.google.com', 'google'],
    ['images.google.fr', 'google'],
    ['scholar.google.com', 'google'],
    ['cn.bing.com', 'bing'],
    ['de.search.yahoo.com', 'yahoo'],
    ['search.yahoo.co.jp', 'yahoo'],
    ['lite.duckduckgo.com', 'duckduckgo'],
    ['m.baidu.com', 'baidu'],
    ['www.yandex.com.tr', 'yandex'],
    ['m.search.naver.com', 'naver'],
  ])('takes %s for a search', (host, source) => {
    expect(from(`https://${host}/`)).toEqual({ channel: 'search', source })
  })

  it.each([
    ['mail.google.com', 'gmail'],
    ['mail.yandex.ru', 'yandex mail'],
    ['mail.yahoo.co.jp', 'yahoo mail'],
    ['mail.aol.com', 'aol mail'],
    ['e.mail.ru', 'mail.ru'],
  ])('takes %s for mail', (host, source) => {
    expect(from(`https://${host}/`)).toEqual({ channel: 'email', source })
  })

  it.each([
    [{ url: `${page}?gclid=1&utm_medium=email` }, 'paid', 'google'],
    [{ url: `${page}?utm_source=News&utm_medium=E-Mail` }, 'email', 'news'],
    [{ source: 'google', medium: 'cpc' }, 'paid', 'google'],
    [{ source: 'facebook', medium: 'paid_social' }, 'paid', 'facebook'],
    [{ source: 'instagram', medium: 'social' }, 'social', 'instagram'],
    [{ source: 'newsletter' }, 'email', 'newsletter'],
    [{ source: 'poster', medium: 'qr' }, 'campaign', 'poster'],
  ])('goes by the campaign before the referrer: %j', (rest, channel, source) => {
    expect(from('https://www.bing.com/', rest)).toEqual({ channel, source })
  })

  it('bounds what it keeps of what it does not know', () => {
    expect(from('', { source: 'x'.repeat(5_000) }).source).toHaveLength(100)
  })
})
