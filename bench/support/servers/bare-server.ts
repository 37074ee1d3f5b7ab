import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * The baseline, a process of its own: bare node:http that reads the body, parses it as JSON and answers. With an
 * argument it answers 200 with that text, otherwise 204. Ends with its parent.
 */
const answer = process.argv[2]

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString())
    if (answer === undefined) response.writeHead(204).end()
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
