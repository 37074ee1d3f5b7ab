/** A value of MaxMind's data format, as far as the tests need it. */
type Value = string | number | { [key: string]: Value }

/**
 * A database in MaxMind's format (https://maxmind.github.io/MaxMind-DB/) with a few IPv4 networks, so that tests need
 * no operator's data. Records are 24 bits wide.
 *
 * @param networks by prefix, e.g. `{ '203.0.113.0/24': { country: { iso_code: 'DE' } } }`; none inside another
 */
export function mmdb(networks: Record<string, Value>): Buffer {
  type Node = [Node | number | undefined, Node | number | undefined]
  const root: Node = [undefined, undefined]
  const data: Buffer[] = []
  let dataLength = 0
  for (const [network, value] of Object.entries(networks)) {
    const [address = '', length = '32'] = network.split('/')
    const bits = address
      .split('.')
      .map(byte => Number(byte).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length))
    let node = root
    for (const bit of bits.slice(0, -1)) {
      const next = node[Number(bit)]
      const child: Node = typeof next === 'object' ? next : [undefined, undefined]
      node[Number(bit)] = child
      node = child
    }
    node[Number(bits.at(-1))] = dataLength
    const encoded = encode(value)
    data.push(encoded)
    dataLength += encoded.length
  }
  const nodes: Node[] = []
  const number = (node: Node) => {
    nodes.push(node)
    for (const child of node) if (typeof child === 'object') number(child)
  }
  number(root)
  const tree = Buffer.concat(
    nodes.flatMap(node =>
      node.map(child => {
        const record = Buffer.alloc(3)
        // Behind the last node: "nothing", then 16 bytes of separator, then the data.
        const target =
          child === undefined
            ? nodes.length
            : typeof child === 'number'
              ? nodes.length + 16 + child
              : nodes.indexOf(child)
        record.writeUIntBE(target, 0, 3)
        return record
      }),
    ),
  )
  const metadata = encode({
    node_count: nodes.length,
    record_size: 24,
    ip_version: 4,
    database_type: 'Test-City',
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
  })
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata])
}

/** Types: 2 text, 6 unsigned 32 bits, 7 map; all lengths below 29. */
function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    return Buffer.concat([Buffer.from([(2 << 5) | text.length]), text])
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(5)
    bytes[0] = (6 << 5) | 4
    bytes.writeUInt32BE(value, 1)
    return bytes
  }
  const entries = Object.entries(value)
  return Buffer.concat([Buffer.from([(7 << 5) | entries.length]), ...entries.flatMap(entry => entry.map(encode))])
}
