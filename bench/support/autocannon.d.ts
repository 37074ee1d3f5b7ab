/** The part that the benches use of autocannon, which brings no types (https://github.com/mcollina/autocannon#api). */
declare module 'autocannon' {
  interface Request {
    method: string
    path: string
    headers: Record<string, string>
    body?: Buffer
  }

  interface Options {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    requests: (Request & { setupRequest(request: Request): Request })[]
  }

  interface Result {
    '2xx': number
    non2xx: number
    errors: number
    timeouts: number
    /** Seconds. */
    duration: number
    /** Milliseconds. */
    latency: { p50: number; p99: number }
  }

  export default function autocannon(options: Options): Promise<Result>
}
