import { headers } from 'next/headers'
import { SlotstreamProvider } from 'slotstream/react'
import { slotstream } from '../lib/slotstream'
import { ForYou, Hero } from './slots'

/** Is rendered with what was decided for the visitor. What could not be decided in time is requested by the browser. */
export default async function Home() {
  const { decisions } = await slotstream.decide(['hero', { id: 'for-you', count: 3 }], {
    headers: await headers(),
    context: { page: { path: '/' } },
  })
  return (
    <SlotstreamProvider decisions={decisions}>
      <Hero />
      <ForYou />
    </SlotstreamProvider>
  )
}
