import { type NextRequest, NextResponse } from 'next/server'
import { slotstream } from './lib/slotstream'

/** Gives a new visitor an id before the page is rendered, because pages can read cookies, but not set them. */
export function middleware(request: NextRequest): NextResponse {
  const { anonymousId, setCookie } = slotstream.visitorOf(request.headers)
  if (!setCookie) return NextResponse.next()
  // The page that is rendered for this request is to see the same id.
  const headers = new Headers(request.headers)
  headers.set('cookie', [headers.get('cookie'), `slotstream_id=${anonymousId}`].filter(Boolean).join('; '))
  const response = NextResponse.next({ request: { headers } })
  response.headers.append('set-cookie', setCookie)
  return response
}

export const config = {
  matcher: [
    {
      // Pages, not files.
      source: '/((?!_next/|.*\\..*).*)',
      // A page that is fetched ahead may never be seen.
      missing: [
        { type: 'header', key: 'next-router-prefetch' },
        { type: 'header', key: 'purpose', value: 'prefetch' },
      ],
    },
  ],
}
