import { isId, isObject, parseJson, parseTime } from '@slotstream/protocol'
import { type Impression, type LineReader, LogError } from './impression.js'

/** Values of a context, at most. */
const MAX_VALUES = 100

/**
 * Creates a reader of DSJSON, in which Vowpal Wabbit and Azure Personalizer log decisions of contextual bandits: an
 * object a line, whose first action was shown, with the negative reward as `_label_cost`. An item is named by the
 * action's `id`, `_tag`, or `id` of a namespace, else by its number; the shared features are the context. Lines without
 * a decision, and those that are not to be learned from, say nothing.
 */
export function createDsjsonReader(): LineReader {
  let line = 0
  const fault = (what: string) => new LogError(`line ${line}: ${what}`)

  function read(text: string): Impression[] {
    line++
    if (text.trim() === '') return []
    const raw = parseJson(text)
    if (raw === undefined) throw fault('it is not JSON')
    if (!isObject(raw)) throw fault('it is not a JSON object')
    if (raw._label_cost === undefined || raw._skipLearn === true) return []
    const { a: actions, c: shared, _label_cost: cost } = raw
    const at = typeof raw.Timestamp === 'string' ? parseTime(raw.Timestamp) : undefined
    if (at === undefined) throw fault('Timestamp is not a time')
    if (typeof cost !== 'number' || !Number.isFinite(cost)) throw fault('_label_cost is not a number')
    const chosen = Array.isArray(actions) ? actions[0] : raw._label_Action
    if (!Number.isInteger(chosen) || (chosen as number) < 1)
      throw fault('a does not begin with the number of an action')
    if (!isObject(shared) || !Array.isArray(shared._multi)) throw fault('c has no list _multi of actions')
    const action: unknown = shared._multi[(chosen as number) - 1]
    if (action === undefined) throw fault(`c._multi has no action ${chosen}`)
    const reward = cost === 0 ? 0 : -cost
    return [{ contentId: idOf(action, chosen as number), position: 1, at, reward, context: contextOf(shared) }]
  }

  return { read }
}

function idOf(action: unknown, number: number): string {
  if (!isObject(action)) return `action-${number}`
  // A namespace is an object of features, or a list of them.
  const parts = Object.values(action).flat()
  const named = [action.id, action._tag, ...parts.flatMap(part => (isObject(part) ? [part.id] : []))]
  const ids = named.map(id => (typeof id === 'number' ? String(id) : id))
  return ids.find(isId) ?? `action-${number}`
}

/** Returns texts, numbers and booleans of the shared features by name, whichever namespace and list they are in. */
function contextOf({ _multi, ...shared }: Record<string, unknown>): Impression['context'] {
  const context: Impression['context'] = {}
  let left = MAX_VALUES
  const add = (value: unknown, name: string, depth: number): void => {
    if (left <= 0 || depth > 3 || name.startsWith('_')) return
    if (Array.isArray(value)) for (const entry of value) add(entry, '', depth + 1)
    else if (isObject(value)) for (const [key, inner] of Object.entries(value)) add(inner, key, depth + 1)
    else if (name !== '' && ['string', 'number', 'boolean'].includes(typeof value)) {
      if (!Object.hasOwn(context, name)) left--
      Object.defineProperty(context, name, { value, enumerable: true, configurable: true, writable: true })
    }
  }
  add(shared, '', 0)
  return context
}
