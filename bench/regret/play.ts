import { rewardOf } from '../simulator/responses.js'
import { simulateWorld, type WorldOptions } from '../simulator/world.js'
import type { Player } from './players.js'

/** Losses of a player against knowing all, and how often it chose the best, over equal parts of a world. */
export interface Played {
  regret: number[]
  best: number[]
}

/** Plays one world. The rewards of a request and an item are the same for every player. */
export function play(player: Player, seed: string, options: WorldOptions, parts: number): Played {
  const played: Played = { regret: new Array(parts).fill(0), best: new Array(parts).fill(0) }
  const length = options.decisions / parts
  let n = 0
  for (const request of simulateWorld(seed, options)) {
    const chosen = player.choose(request, n)
    const { expected } = request
    const most = Math.max(...expected)
    player.learn(request, chosen, rewardOf(seed, n, chosen, expected), n)
    const part = Math.floor(n / length)
    played.regret[part]! += most - expected[chosen]!
    if (expected[chosen]! > most - 0.07) played.best[part]! += 1 / length
    n++
  }
  return played
}
