import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Another host, on loopback, that answers every request with 200. */
export interface Upstream {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  const server = createServer((_request, response) => { response.end('{}'); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const stop = (): Promise<void> => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => { resolve(); });
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}
