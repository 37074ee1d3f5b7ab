import { readFile } from 'node:fs/promises'
import { isObject, type PolicySpec, strictSlot } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/**
 * Reads a file of JSON.
 *
 * @throws CommandError that names the file
 */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(error => {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandError(`${file} is no JSON: ${(error as Error).message}`)
  }
}

/**
 * Returns the policy that a file holds: a slot's `policy`, or a slot with one. It is checked as one that
 * is put, so that a misspelt field is no default, and has its defaults.
 *
 * @throws CommandError with what is wrong
 */
export function policyIn(raw: unknown, file: string): PolicySpec {
  const policy = isObject(raw) && isObject(raw.policy) ? raw.policy : raw
  const checked = strictSlot({ id: 'slot', policy })
  if (!checked.ok) throw new CommandError(`${file} must hold a slot's policy: ${checked.faults.join('\n')}`)
  if (!checked.value.policy) throw new CommandError(`${file} must hold a slot's policy: {"type": …}`)
  return checked.value.policy
}
