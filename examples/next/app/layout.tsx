import type { ReactNode } from 'react'
import { SlotstreamProvider } from 'slotstream/react'

/** Starts the SDK once for all pages. `idCookie`: the browser goes on under the id that the server decided for. */
const options = {
  writeKey: 'demo',
  endpoint: process.env.NEXT_PUBLIC_SLOTSTREAM_URL ?? 'http://localhost:3000',
  idCookie: true,
}

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <SlotstreamProvider options={options}>{children}</SlotstreamProvider>
      </body>
    </html>
  )
}
