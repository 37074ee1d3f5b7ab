import { adminOperation, inPath, inQueryAlways, ok, type Part, type Paths, ref } from '../operations.js'

const CONTENT: Part = {
  type: 'object',
  required: ['contentId', 'propensity', 'position', 'shown', 'excluded'],
  properties: {
    contentId: { type: 'string' },
    propensity: {
      type: 'number',
      description:
        'Chance: of what was drawn, for its position, given those before it; of others, for the first one they could have. 0: none.',
    },
    position: { type: ['integer', 'null'], description: 'Rank that it was drawn for. Null: it was not drawn.' },
    shown: { type: 'boolean' },
    excluded: {
      anyOf: [
        {
          type: 'object',
          required: ['reason', 'detail'],
          properties: {
            reason: {
              type: 'string',
              description:
                'As in the record: `capped`, `condition`, `ended` …; `displaced`: campaigns fill all positions.',
            },
            detail: { type: 'string', description: 'In plain text, such as `2 of 2 in 24h`.' },
          },
        },
        { type: 'null' },
      ],
      description: 'Why it could not be shown, or was not drawn. Null: it could.',
    },
  },
}

/** Paths of single decisions. */
export const DECISION_PATHS: Paths = {
  '/v1/admin/decisions/{id}/explain': {
    parameters: [inPath('id', 'Id of the decision.'), inQueryAlways('site', 'Id of its site.')],
    get: adminOperation(
      'Why a decision was made, from its record alone',
      {},
      ok(
        'One of the last seconds is waited for, up to four. 404: the site has none of that id.',
        ref('ExplainedDecision'),
      ),
    ),
  },
}

/** A decision that is explained. */
export const DECISION_SCHEMAS: Record<string, Part> = {
  ExplainedDecision: {
    type: 'object',
    required: ['decision', 'reproduced', 'text', 'candidates', 'unnamed'],
    properties: {
      decision: { type: 'object', description: 'The record, as the stream `DECISIONS` had it.' },
      reproduced: {
        type: 'boolean',
        description: 'Whether the draw, done again from the record, is the same. `text` says why not.',
      },
      text: { type: 'string', description: 'Why it was decided so, in plain words. Plain text: no HTML.' },
      candidates: {
        type: 'array',
        description:
          'Contents of the slot: what was drawn, the others that could be shown, the likeliest first, the rest.',
        items: CONTENT,
      },
      unnamed: { type: 'integer', description: 'Contents of the slot whose names are not known any more.' },
    },
  },
}
