import { createServer } from 'node:net'
import { ConfigurationError } from '@slotstream/runtime'

/** Makes sure that nothing listens on a port yet. Throws ConfigurationError that names the variable to change. */
export async function checkPortFree(variable: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConfigurationError(
          error.code === 'EADDRINUSE'
            ? `port ${port} is taken by another program: stop it, or choose another port with ${variable}=${port + 10} npm start`
            : `port ${port} (${variable}) can't be used: ${error.message}`,
        ),
      ),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}
