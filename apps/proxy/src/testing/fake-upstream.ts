import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface FakeUpstream {
  readonly url: string;
  readonly port: number;
  /** The requests so far, health checks left out. */
  readonly requests: IncomingMessage[];
  readonly connections: Set<Socket>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** An HTTP server in the place of the registry or core. Health checks are answered with 200. */
export async function startUpstream(answer: RequestListener, port = 0): Promise<FakeUpstream> {
  const requests: IncomingMessage[] = [];
  const connections = new Set<Socket>();
  const server = createServer({ keepAliveTimeout: 60_000 });
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers['user-agent'] === 'haven-proxy') {
      response.end('ok');
      return;
    }
    requests.push(request);
    answer(request, response);
  };
  server.on('request', listen);
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => { connections.delete(socket); });
  });
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  const address = server.address() as AddressInfo;
  const kill = (): Promise<void> => new Promise((resolve) => {
    server.close(() => { resolve(); });
    for (const socket of connections) socket.destroy();
  });
  return { url: `http://127.0.0.1:${address.port}`, port: address.port, requests, connections, kill };
}

/** Answers with what arrived: method, url, headers, and the length of the body. */
export const echo: RequestListener = (request, response) => {
  let length = 0;
  request.on('data', (chunk: Buffer) => { length += chunk.length; });
  request.on('end', () => {
    const body = JSON.stringify({ method: request.method, url: request.url, headers: request.headers, length });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
};

/** What `echo` answers. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
}
