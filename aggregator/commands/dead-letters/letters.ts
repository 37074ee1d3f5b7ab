import type { StoredMsg } from '@nats-io/jetstream'
import {
  DEAD_LETTERS,
  type DeadLetter,
  decodePayload,
  encodePayload,
  isKeySubject,
  parseDeadLetter,
  parseStored,
} from '@slotstream/protocol'
import type { Nats, Publisher } from '@slotstream/runtime'

/** A dead letter with its number: the sequence in the stream of dead letters. */
export interface NumberedLetter extends DeadLetter {
  number: number
}

/** The dead letters that wait for a decision. */
export interface Letters {
  /** Reads all letters, oldest first. */
  all(): Promise<NumberedLetter[]>
  /** Reads the letter of a number; undefined where there is none, or no longer. */
  get(number: number): Promise<NumberedLetter | undefined>
  /**
   * Publishes the message to its subject again, and removes the letter when the stream has it. Done twice, it is
   * stored once: its id is made of where it was, and its events carry ids of their own.
   *
   * @throws ReplayError when the message no longer exists, or would put an old state over a newer one
   */
  replay(letter: NumberedLetter): Promise<void>
  /** Removes a letter. Resolves to whether it was there. */
  drop(number: number): Promise<boolean>
}

/** Subjects that letters are published to again: a letter that names another one was not written by a role. */
const REPLAYABLE = /^(events|decisions|signals|rejected)\.\d{1,4}$/

/** A letter that can't be replayed. The message says why and what to do. */
export class ReplayError extends Error {
  override name = 'ReplayError'
  readonly code = 'replay'
}

/** Opens the stream of dead letters. */
export function openLetters(nats: Pick<Nats, 'manager'>, publisher: Pick<Publisher, 'publish'>): Letters {
  const { streams } = nats.manager

  async function get(number: number): Promise<NumberedLetter | undefined> {
    const message = await streams.getMessage(DEAD_LETTERS.name, { seq: number })
    if (!message) return undefined
    const parsed = parseStored(message.data, parseDeadLetter)
    return parsed.ok ? { number, ...parsed.value } : { number, ...unreadable(message, parsed.reason) }
  }

  async function drop(number: number): Promise<boolean> {
    try {
      return await streams.deleteMessage(DEAD_LETTERS.name, number, false)
    } catch (error) {
      if (await streams.getMessage(DEAD_LETTERS.name, { seq: number })) throw error
      return false
    }
  }

  /**
   * Reads the letter's payload. One that was too large for the letter is read from its stream, as long as that keeps
   * it.
   */
  async function dataOf(letter: NumberedLetter): Promise<Uint8Array> {
    const data = decodePayload(letter)
    if (data) return data
    const original = await streams.getMessage(letter.stream, { seq: letter.seq })
    if (original && original.time.toISOString() === letter.storedAt) return original.data
    throw new ReplayError(`the message of letter ${letter.number} is gone from ${letter.stream}: drop the letter`)
  }

  return {
    async all() {
      const { first_seq, last_seq, messages } = (await streams.info(DEAD_LETTERS.name)).state
      const numberedLetters: NumberedLetter[] = []
      for (let number = first_seq; number <= last_seq && numberedLetters.length < messages; number++) {
        const letter = await get(number)
        if (letter) numberedLetters.push(letter)
      }
      return numberedLetters
    },
    get,
    async replay(letter) {
      if (isKeySubject(letter.subject))
        throw new ReplayError(
          `letter ${letter.number} is a version of a profile: the bucket may have a newer one, which a replay would undo. Drop the letter`,
        )
      if (!REPLAYABLE.test(letter.subject))
        throw new ReplayError(`letter ${letter.number} is of no stream that messages are published to: drop the letter`)
      const data = await dataOf(letter)
      const { stream, seq, subject, storedAt } = letter
      await publisher.publish(subject, data, `replay:${stream}:${seq}:${storedAt}`)
      await drop(letter.number)
    },
    drop,
  }
}

/** Shows a message that is no letter as one, so that it can be dropped. */
function unreadable({ data, seq, subject, time }: StoredMsg, reason: string): DeadLetter {
  return {
    role: 'warehouse',
    stream: DEAD_LETTERS.name,
    seq,
    subject,
    storedAt: time.toISOString(),
    ...encodePayload(data),
    error: `no dead letter: ${reason}`,
    attempts: 0,
    version: '',
    failedAt: time.toISOString(),
  }
}
