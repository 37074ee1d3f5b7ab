import {
  isObject,
  MAX_ITEMS,
  type PackedLottery,
  parseJson,
  type RecordedDraw,
  type RecordedStage,
} from '@slotstream/protocol'
import { unpackPlaces } from '../draw/pack-lottery.js'
import { unpackNumbers, unpackRuns, unpackSigned } from '../draw/pack-numbers.js'

/** Contents and stages of a draw that are read, at most. */
const MAX_CONTENTS = 100_000
const MAX_STAGES = 100

/** Chances that are worked out for one draw, at most: 20,000 contents for 50 positions are fewer. */
const MAX_CHANCES = 1_200_000

/**
 * Reads the text of a recorded draw. Imported logs may have anything there, so that all of it is checked: what this
 * returns is of a bounded size and can be drawn by. Undefined: it is no draw, or one of a later form.
 */
export function parseDraw(text: string): RecordedDraw | undefined {
  const raw = parseJson(text)
  if (!isObject(raw) || typeof raw.contents !== 'string' || !Array.isArray(raw.stages)) return undefined
  const { version, stages } = raw
  if (version !== undefined && version !== 3) return undefined
  // Before anything is unpacked: what a stage says that it has is what unpacking it takes.
  if (stages.length === 0 || stages.length > MAX_STAGES || !isList(stages, isOutline)) return undefined
  const positions = stages.reduce((sum, { drawn }) => sum + drawn.length, 0)
  if (positions > MAX_ITEMS || chancesOfDraw({ stages }) > MAX_CHANCES || !isList(stages, isStage)) return undefined
  return { ...(version && { version }), contents: raw.contents, stages }
}

/** Returns how many chances are worked out to draw again: what it costs to read a draw. */
export function chancesOfDraw({ stages }: { stages: readonly Pick<RecordedStage, 'of' | 'drawn'>[] }): number {
  return stages.reduce((sum, { of: candidateCount, drawn }) => sum + candidateCount * (drawn.length + 1), 0)
}

function isOutline(raw: unknown): raw is Pick<RecordedStage, 'of' | 'drawn'> {
  return isObject(raw) && isPlace(raw.of, MAX_CONTENTS + 1) && Array.isArray(raw.drawn)
}

function isStage(raw: unknown): raw is RecordedStage {
  if (!isObject(raw)) return false
  const { campaign, of: candidateCount, contents, met, lottery, drawn } = raw
  if (campaign !== undefined && typeof campaign !== 'string') return false
  if (!isPlace(candidateCount, MAX_CONTENTS + 1)) return false
  if (contents !== undefined && unpacked(contents, unpackPlaces, isAnyPlace)?.length !== candidateCount) return false
  if (met !== undefined && !unpacked(met, unpackPlaces, isAnyPlace)) return false
  if (!isList(drawn, (place): place is number => isPlace(place, candidateCount))) return false
  return lottery === undefined || (candidateCount === 0 && drawn.length === 0) || isLottery(lottery, candidateCount)
}

function isLottery(raw: unknown, candidates: number): raw is PackedLottery {
  if (!isObject(raw) || !isNumber(raw.exploration) || raw.exploration < 0 || raw.exploration > 1) return false
  const { rule, ranks, shares, scores, gamma, contenders, length, tops } = raw
  switch (rule) {
    case 'ranked':
      return unpacked(ranks, text => unpackRuns(text, candidates), isNumber)?.length === candidates
    case 'shares': {
      const list = unpacked(shares, unpackNumbers, isNotNegative)
      return list !== undefined && list.length % 2 === 0 && placesEnd(list) < candidates
    }
    case 'gaps':
      return unpacked(scores, unpackSigned, isNumber)?.length === candidates && isNotNegative(gamma)
    case 'samples':
      return (
        (unpacked(contenders, unpackPlaces, (place): place is number => isPlace(place, candidates))?.length ?? 65) <=
          64 &&
        isPlace(length, MAX_CONTENTS) &&
        typeof tops === 'string' &&
        tops.length <= MAX_CONTENTS
      )
    default:
      return false
  }
}

/** Returns the last place that packed shares name; infinite where one is no place. */
function placesEnd(shares: readonly number[]): number {
  let place = 0
  for (let at = 0; at < shares.length; at += 2) {
    if (!Number.isSafeInteger(shares[at])) return Number.POSITIVE_INFINITY
    place += shares[at]!
  }
  return shares.length === 0 ? -1 : place
}

/** Returns the numbers of a list, or of the letters that they are packed as. Undefined: one of them is none. */
function unpacked(
  raw: unknown,
  unpack: (text: string) => readonly number[],
  isEntry: (entry: unknown) => entry is number,
): readonly number[] | undefined {
  try {
    const list = typeof raw === 'string' ? unpack(raw) : raw
    return isList(list, isEntry) ? list : undefined
  } catch {
    return undefined
  }
}

function isList<T>(raw: unknown, isEntry: (entry: unknown) => entry is T): raw is T[] {
  return Array.isArray(raw) && raw.every(isEntry)
}

function isNumber(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isFinite(raw)
}

function isNotNegative(raw: unknown): raw is number {
  return isNumber(raw) && raw >= 0
}

function isPlace(raw: unknown, before: number): raw is number {
  return Number.isSafeInteger(raw) && (raw as number) >= 0 && (raw as number) < before
}

function isAnyPlace(raw: unknown): raw is number {
  return isPlace(raw, MAX_CONTENTS)
}
