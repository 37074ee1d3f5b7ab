import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLog } from '#cli/evaluate/log/read-log.js'
import { parseArguments } from '#cli/evaluate/parse-arguments.js'
import { runCommand } from '#cli/evaluate/run-command.js'
import { UsageError } from '#cli/usage-error.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-value-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function fileOf(name: string, content: unknown): Promise<string> {
  await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  return join(folder, name)
}

async function run(...args: string[]): Promise<string> {
  const printed: string[] = []
  await runCommand(parseArguments(args), line => printed.push(line))
  return printed.join('\n')
}

/** Reads a text in pieces of a few bytes, which end wherever they do. */
async function read(text: string, needs = { time: true, affinities: true, known: true }) {
  const bytes = new TextEncoder().encode(text)
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7)
  }
  return readLog(pieces(), 'log.csv', needs)
}

/** What a policy needs that neither learns nor looks at the person. */
const LITTLE = { time: false, affinities: false, known: false }

const HEADER = 'item_id,position,click,propensity_score'

describe('the command line of values', () => {
  it.each([
    [['--policy', 'uniform']],
    [['--log', 'f']],
    [['--log', 'f', '--policy', 'uniform', '--split', 'md5']],
    [['--log', 'f', '--policy', 'uniform', '--clip', '0']],
    [['--log', 'f', '--policy', 'uniform', '--clip', 'much']],
    [['ranking', '--log', 'f', '--policy', 'uniform']],
    [['--slot', 's', '--log', 'f', '--policy', 'uniform']],
    [['--log', 'f', '--policy', 'uniform', '--from', '2026-01-01']],
    [['--slot', 's', '--policy', 'uniform', '--from', 'monday']],
    [['--log', 'f', '--policy', 'uniform', '--bots', 'include']],
    [['--slot', 's', '--policy', 'uniform', '--bots', 'some']],
    [['other', '--log', 'f', '--policy', 'uniform']],
  ])('%j is rejected with how it should be', args => {
    expect(() => parseArguments(args)).toThrow(UsageError)
  })

  it('is parsed', () => {
    const plain = { do: 'value', log: 'f', policy: 'uniform', content: undefined, clip: undefined, json: false }
    expect(parseArguments(['--log', 'f', '--policy', 'uniform'])).toEqual(plain)
    expect(parseArguments(['--log', 'f', '--policy', 'uniform', '--clip', '10'])).toMatchObject({ clip: 10 })
    const period = { from: Date.UTC(2026, 0, 1), to: undefined }
    const slot = { slot: 's', site: undefined, ...period, rewards: 'slot', bots: 'exclude' } as const
    expect(parseArguments(['--slot', 's', '--policy', 'uniform', '--from', '2026-01-01'])).toMatchObject({ log: slot })
    const bots = ['--slot', 's', '--policy', 'uniform', '--bots', 'include']
    expect(parseArguments(bots)).toMatchObject({ log: { bots: 'include' } })
  })
})

describe('a log of decisions', () => {
  it('is that of Open Bandit: each row a decision of its own', async () => {
    const log = await read(`,timestamp,${HEADER},user_feature_0\r
0,2019-11-24 00:03:13.442536+00:00,14,3,0,0.25,aa\r
1,2019-11-24 00:03:36.705207+00:00,10,1,1,0.5,aa\r
`)
    expect(log).toMatchObject({ rows: 2, ids: ['14', '10'], positions: 3 })
    expect([...log.propensity]).toEqual([0.25, 0.5])
    expect([...log.reward]).toEqual([0, 1])
    expect([...log.decision]).toEqual([0, 1])
    expect(log.situations.map(({ position }) => position)).toEqual([2, 0])
    expect(log.time![0]).toBe(Date.UTC(2019, 10, 24, 0, 3, 13, 442))
  })

  it('is an export of ClickHouse, quoted: with what was eligible, above and liked', async () => {
    const log = await read(
      `\uFEFF"decision_id","timestamp","content_id","position","propensity","reward","candidates","affinities"
"d1","2026-01-31 12:00:00.123","a ""b"", c",1,0.5,1,"[[""a \\""b\\"", c"",0.5],[""ä\n"",0]]","{""shoes"":2}"
"d1","2026-01-31 12:00:00.123","ä\n",2,1,0,"[[""a \\""b\\"", c"",0.5],[""ä\\n"",0]]","{""shoes"":2}"
"d2","2026-01-31 12:00:01.000","",1,\\N,0,"[]","{}"
"d3","2026-01-31 12:00:01.000","x",1,1,true,"[{""content_id"":""x"",""score"":1,""probability"":1}]","{""a"":{""b"":2}}"
`.replace('""ä\n""', '""ä\\n""'),
    )
    expect(log.ids).toEqual(['a "b", c', 'ä\n', 'x'])
    expect([...log.decision]).toEqual([0, 0, 1])
    expect([...log.reward]).toEqual([1, 0, 1])
    expect(log.time![0]).toBe(Date.UTC(2026, 0, 31, 12, 0, 0, 123))
    expect(log.situations).toEqual([
      {
        position: 0,
        eligible: [0, 1],
        possible: [true, false],
        chances: [0.5, 0],
        above: [],
        affinities: { shoes: 2 },
      },
      {
        position: 1,
        eligible: [0, 1],
        possible: [true, false],
        chances: [0.5, 0],
        above: [0],
        affinities: { shoes: 2 },
      },
      { position: 0, eligible: [2], possible: [true], chances: [1], above: [], affinities: { 'a.b': 2 } },
    ])
  })

  it('says itself what was above, where rows of a decision are missing', async () => {
    const log = await read(`decision_id,content_id,position,propensity,clicked,above,candidates
1,c,3,0.5,false,"[""a"",""b""]","[""a"",""b"",""c""]"
`)
    const [situation] = log.situations
    expect(situation!.above.map(action => log.ids[action])).toEqual(['a', 'b'])
    expect(situation).not.toHaveProperty('possible')
  })

  it('may be an export of decisions as it is, with a column of rewards', async () => {
    const known = { items: ['x'] }
    const text = JSON.stringify({ affinities: { shoes: 2 }, known: JSON.stringify(known) })
    const features = `"${text.replaceAll('"', '""')}"`
    const log = await read(`decision_id,timestamp,content_ids,propensities,position,candidates,features,reward
1,2026-01-01 00:00:00.000,"['a','it\\'s (b)']","[0.5,1]",1,"[('a',0,0.5),('it\\'s (b)',0,0.5)]",${features},"[0,2.5]"
2,2026-01-01 00:00:01.000,[],[],1,[],{},0
3,2026-01-01 00:00:02.000,"[""a""]",[nan],2,"[('a',0,0.1)]",{},1
`)
    expect(log).toMatchObject({ rows: 3, ids: ['a', "it's (b)"], positions: 2 })
    expect([...log.reward]).toEqual([0, 2.5, 1])
    expect([...log.propensity]).toEqual([0.5, 1, Number.NaN])
    expect([...log.decision]).toEqual([0, 0, 1])
    const listed = { eligible: [0, 1], possible: [true, true], chances: [0.5, 0.5] }
    expect([...log.situation].map(number => log.situations[number])).toEqual([
      { position: 0, ...listed, above: [], affinities: { shoes: 2 }, known },
      { position: 1, ...listed, above: [0], affinities: { shoes: 2 }, known },
      { position: 1, above: [], affinities: {} },
    ])
  })

  it('may have rows twice, next to each other or not: they count once', async () => {
    const rows = ['d1,a,1,0.5,1', 'd1,b,2,0.5,0', 'd2,a,1,0.5,0']
    const header = 'decision_id,item_id,position,propensity_score,click'
    const twice = [...rows.slice(0, 1), ...rows, ...rows]
    expect(await read([header, ...twice].join('\n'), LITTLE)).toEqual(await read([header, ...rows].join('\n'), LITTLE))
    const without = await read([header, ...twice].join('\n').replace('decision_id', 'some_id'), LITTLE)
    expect(without.rows).toBe(twice.length)
  })

  it('may have semicolons or tabs for commas, or be lines of JSON: it is the same log', async () => {
    const comma = await read(`decision_id,content_id,position,propensity,clicked,candidates,affinities
1,"a;b\tc",1,0.5,true,"[[""a;b\\tc"",0.5],[""d"",0.5]]","{""x"":2}"
1,d,2,1,false,,
`)
    const semicolon = `decision_id;content_id;position;propensity;clicked;candidates;affinities
1;"a;b\tc";1;0.5;true;"[[""a;b\\tc"",0.5],[""d"",0.5]]";"{""x"":2}"
1;d;2;1;false;;
`
    const tab = `decision_id\tcontent_id\tposition\tpropensity\tclicked\tcandidates\taffinities
1\ta;b\\tc\t1\t0.5\ttrue\t[["a;b\\\\tc",0.5],["d",0.5]]\t{"x":2}
1\td\t2\t1\tfalse\t\t
`
    const candidates = [['a;b\tc', 0.5], { content_id: 'd', probability: 0.5 }]
    const lines = [
      {
        decision_id: 1,
        content_id: 'a;b\tc',
        position: 1,
        propensity: 0.5,
        clicked: true,
        candidates,
        affinities: { x: 2 },
      },
      { decision_id: 1, content_id: 'd', position: 2, propensity: 1, clicked: false, candidates: null },
    ]
    const json = lines.map(line => JSON.stringify(line)).join('\n')
    for (const text of [semicolon, tab, json, `\n${json}\n\n`]) expect(await read(text)).toEqual(comma)
  })

  it.each([
    ['{"item_id": 1}\n', /no column reward or click or clicked/],
    ['{\n"data": []}', /record 1: it is no JSON object: .*JSONEachRow/],
    ['{"item_id":1,"click":0,"propensity":0.5}\n[1]\n', /record 2: it is no JSON object/],
    ['{"item_id":1,"click":0,"propensity":0.5}\n{"item_id":1,"click":0}\n', /record 2: the propensity is ""/],
    ['content_ids,propensities,reward\n"[\'a\',\'b\']","[1,1]",1\n', /record 2: reward has 1 numbers, .* 2 contents/],
    ['content_ids,propensities,reward\na,"[1,1]",1\n', /record 2: content_ids is a, it must be a list/],
    ['', /is empty/],
    [HEADER, /has no rows/],
    ['item_id,click\n1,0\n', /no column propensity_score or propensity/],
    ['decision_id,content_ids,propensities\n1,"[]","[]"\n', /decisions, which has no rewards: .*docs\/evaluation\.md/],
    ['decision_id,content_ids\n1,"[]"\n', /no column item_id or content_id, .*docs\/evaluation\.md/],
    [`${HEADER}\n1,1,0,0.5\n1,1,0\n`, /log\.csv, record 3: it must have 4 fields/],
    [`${HEADER}\n1,1,maybe,0.5\n`, /record 2: the reward is "maybe"/],
    [`${HEADER}\n1,1,0,\n`, /record 2: the propensity is ""/],
    [`${HEADER}\n1,0,0,0.5\n`, /record 2: position is "0"/],
    [`${HEADER}\n1,1,0,"0.5\n`, /record 2: a quote is not closed/],
    [`timestamp,${HEADER}\nnoon,1,1,0,0.5\n`, /record 2: timestamp is "noon"/],
    [`${HEADER},candidates\n1,1,0,0.5,['a']\n`, /is no JSON/],
    [`${HEADER},candidates\n1,1,0,0.5,{}\n`, /must be JSON lists/],
    [`${HEADER},affinities\n1,1,0,0.5,[1]x\n`, /is no JSON/],
  ])('is rejected with the place that is wrong: %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })
})

describe('the printed value', () => {
  const rows = Array.from({ length: 1_200 }, (_, row) => `${row % 2},1,${row % 10 === 0 ? 1 : 0},0.5`).join('\n')

  it('is a table in plain words, or JSON alone', async () => {
    const log = await fileOf('log.csv', `${HEADER}\n${rows}\n`)
    const table = await run('--log', log, '--policy', 'uniform')
    expect(table).toContain('1,200 rows')
    expect(table).toMatch(/doubly robust \(DR\) +0\.\d{6}/)
    expect(table).toContain("worth 1,200 rows of the policy's own")
    expect(table).not.toContain('Do not rely')
    const report = JSON.parse(await run('--log', log, '--policy', 'uniform', '--json'))
    expect(Object.keys(report)).toEqual(['estimates', 'ess', 'overlap', 'maxWeight', 'refused'])
  })

  it.each(['0', 'nan', 'NaN', 'inf', '-0.5', '1.5'])('is refused where a propensity is %s', async propensity => {
    const log = await fileOf('log.csv', `${HEADER}\n${rows}\n1,1,0,${propensity}\n`)
    const { estimates, refused, ...rest } = JSON.parse(await run('--log', log, '--policy', 'uniform', '--json'))
    expect(estimates).toBeNull()
    expect(refused).toMatchObject({ code: 'corrupt_propensities', reason: expect.stringContaining('1 of 1201 rows') })
    expect(Object.values(rest).every(Number.isFinite)).toBe(true)
  })

  it.each([
    ['0.0294118', null],
    ['2.94118e-02', null],
    ['0.0294', null],
    ['0.0295', 'corrupt_propensities'],
    ['0.02941', null],
    ['0.02942', 'corrupt_propensities'],
  ])('puts up with what rounding explains: 1 / 34 as %s', async (propensity, code) => {
    const rows = Array.from({ length: 3_400 }, (_, row) => `${row % 34},1,${row % 3},${propensity}`)
    const log = await fileOf('rounded.csv', [HEADER, ...rows, ''].join('\n'))
    const { refused } = JSON.parse(await run('--log', log, '--policy', 'uniform', '--json'))
    expect(refused?.code ?? null).toBe(code)
  })

  it('is that of even chances for weights that are not given', async () => {
    const log = await fileOf('log.csv', `${HEADER}\n${rows}\n`)
    const weighted = await fileOf('weighted.json', { type: 'weighted' })
    const [even, one] = await Promise.all(
      ['uniform', weighted].map(name => run('--log', log, '--policy', name, '--json')),
    )
    expect(JSON.parse(one!)).toEqual(JSON.parse(even!))
  })

  it('says why it is refused and what would help', async () => {
    const log = await fileOf('log.csv', `${HEADER}\n${rows}\n`)
    const fixed = await fileOf('fixed.json', { id: 'hero', policy: { type: 'fixed', contentIds: ['item-1'] } })
    const table = await run('--log', log, '--policy', fixed)
    expect(table).toContain('Do not rely on it (low_sample): the effective sample size is 600 of 1200 rows')
    expect(table).toContain('What would help: value it by 2,000 rows like these')
    const contextual = await fileOf('contextual.json', { type: 'contextual' })
    expect(await run('--log', log, '--policy', contextual)).toContain('Do not rely on it (unknown_chances)')
  })

  it.each([
    ['{', /is no JSON/],
    ['{"type":"best"}', /policy\.type must be one of contextual, thompson, .*fixed/],
    ['{"type":"fixed"}', /contentIds must be a list/],
    ['{"type":"affinity","exploration":2}', /a share from 0 to 1/],
  ])('is an error for the policy %s', async (text, message) => {
    const log = await fileOf('log.csv', `${HEADER}\n${rows}\n`)
    await expect(run('--log', log, '--policy', await fileOf('policy.json', text))).rejects.toThrow(message)
  })

  it('is an error for a file that is missing', async () => {
    await expect(run('--log', join(folder, 'none.csv'), '--policy', 'uniform')).rejects.toThrow(/cannot be read/)
    const log = await fileOf('log.csv', `${HEADER}\n${rows}\n`)
    await expect(run('--log', log, '--policy', join(folder, 'none.json'))).rejects.toThrow(/none\.json cannot be read/)
  })
})
