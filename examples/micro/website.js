import { createServer } from 'node:http'

/** Stands for your website: one page with the SDK, a slot and a button. */
const { PORT, COLLECTOR, SLOT_TIMEOUT = 300 } = process.env
const page = `<!doctype html>
<title>Tea</title>
<script async src="${COLLECTOR}/sdk.js" data-write-key="demo" data-slot-timeout="${SLOT_TIMEOUT}"></script>
<div data-slot="hero"><template data-slot-template><b data-text="title"></b></template>Teas of the season</div>
<button onclick="slotstream.track('Product Added', { product_id: 'tea', price: 4.5 })">Add to cart</button>`

createServer((request, response) => {
  response.writeHead(request.url === '/' ? 200 : 404, { 'Content-Type': 'text/html' }).end(page)
}).listen(PORT, 'localhost')
