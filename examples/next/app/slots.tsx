'use client'

import { Slot } from 'slotstream/react'

/**
 * `npm run catalog -- types` generates such types from the schemas of your slots; with them the slots need no `<Item>`.
 */
interface Item {
  title: string
  url: string
}

export const Hero = () => (
  <Slot<Item> id="hero" fallback={<h1>Welcome</h1>}>
    {({ payload }) => (
      <h1>
        <a href={payload.url}>{payload.title}</a>
      </h1>
    )}
  </Slot>
)

export const ForYou = () => (
  <ul>
    <Slot<Item> id="for-you" as="li" count={3} fallback="Our classics">
      {({ payload }) => <a href={payload.url}>{payload.title}</a>}
    </Slot>
  </ul>
)
