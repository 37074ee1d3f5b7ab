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
