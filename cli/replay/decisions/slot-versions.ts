import { type CompiledSlot, compileSlot, createClauses, slotOfArm } from '@slotstream/core'
import type { Content, DecisionRecord, Experiment, ExperimentArm, Slot } from '@slotstream/protocol'
import type { AdminCall } from '../../admin-call.js'

/** A site's catalog, of any revision. */
export interface SomeCatalog {
  slots: Slot[]
  content: Content[]
}

/** The record of what was decided about which slot. */
export type VersionedRecord = Pick<DecisionRecord, 'slotId' | 'policyVersion' | 'experiment' | 'arm'>

/** Slots of a site as they were. */
export interface SlotVersions {
  /** Resolves to the slot by which a decision was made. Undefined: no revision with it is kept any more. */
  find(record: VersionedRecord): Promise<CompiledSlot | undefined>
}

/** Creates it. Revisions are read, the newest first, as far as they are needed. */
export function createSlotVersions(call: AdminCall): SlotVersions {
  const known = new Map<string, CompiledSlot | undefined>()
  const catalogs = revisionsOf<SomeCatalog>(call, '/catalog')
  const experiments = revisionsOf<{ experiments: Experiment[] }>(call, '/experiments')

  async function search(record: VersionedRecord): Promise<CompiledSlot | undefined> {
    const arms = record.experiment === undefined ? [undefined] : await armsOf(record)
    for (let n = 0; ; n++) {
      const catalog = await catalogs.at(n)
      if (catalog === 'end') return undefined
      if (!catalog) continue
      for (const arm of arms) {
        const slot = compiledOf(catalog, record.slotId, arm)
        if (slot?.policyVersion === record.policyVersion) return slot
      }
    }
  }

  async function armsOf({ experiment, arm }: VersionedRecord): Promise<ExperimentArm[]> {
    const arms = new Map<string, ExperimentArm>()
    for (let n = 0; ; n++) {
      const set = await experiments.at(n)
      if (set === 'end') return [...arms.values()]
      for (const each of (set?.experiments ?? []).filter(({ id }) => id === experiment))
        for (const one of each.arms.filter(({ id }) => id === arm)) arms.set(JSON.stringify(one), one)
    }
  }

  return {
    async find(record) {
      const { slotId, policyVersion, experiment = '', arm = '' } = record
      const key = JSON.stringify([slotId, policyVersion, experiment, arm])
      if (!known.has(key)) known.set(key, await search(record))
      return known.get(key)
    },
  }
}

/** Compiles a slot of a catalog. Undefined: it has none of that id. */
export function compiledOf({ slots, content }: SomeCatalog, slotId: string, arm?: ExperimentArm) {
  const slot = slots.find(({ id }) => id === slotId)
  if (!slot) return undefined
  const [chosen, contents] = slotOfArm(slot, new Map(content.map(each => [each.id, each])), arm)
  return compileSlot(chosen, contents, createClauses())
}

/** Reads what there is now, and then the revisions that are kept, the newest first, each once. */
function revisionsOf<Value>(call: AdminCall, path: string) {
  const values: Promise<Value | undefined>[] = []
  let revisions: Promise<number[]> | undefined
  const read = async (n: number): Promise<Value | undefined> => {
    if (n === 0) return (await call('GET', path)) as Value
    const revision = (await revisions)![n - 1]
    return call('GET', `${path}/history/${revision}`).then(
      value => value as Value,
      () => undefined,
    )
  }
  return {
    /** Resolves to 'end' after the last; undefined where one was dropped meanwhile. */
    async at(n: number): Promise<Value | undefined | 'end'> {
      revisions ??= call('GET', `${path}/history`).then(list =>
        (list as { revision: number }[]).map(each => each.revision),
      )
      if (n > (await revisions).length) return 'end'
      values[n] ??= read(n)
      return values[n]
    },
  }
}
