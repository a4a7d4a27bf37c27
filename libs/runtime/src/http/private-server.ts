import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Health } from '../health/health.js';
import type { Metrics } from '../metrics/metrics.js';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = 'application/json';

/** The server for probes and scrapes: /livez, /readyz and /metrics, for the private network only. */
export function createPrivateServer(health: Health, metrics: Metrics): Server {
  const server = createServer({ maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 15_000 }, (request, response) => {
    answer(request, health, metrics).then(
      (found) => { send(request, response, found); },
      () => { send(request, response, failure(500, 'this cannot be answered now')); },
    );
  });
  server.maxConnections = 128;
  server.on('clientError', (_error, socket) => { socket.destroy(); });
  return server;
}

async function answer(request: IncomingMessage, health: Health, metrics: Metrics): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return failure(405, 'only GET and HEAD are answered here');
  const path = (request.url ?? '').split('?', 1)[0];
  if (path === '/livez') return { status: 200, type: JSON_TYPE, body: '{"status":"ok"}' };
  if (path === '/metrics') return { status: 200, type: metrics.contentType, body: await metrics.text() };
  if (path !== '/readyz') return failure(404, 'there are only /livez, /readyz and /metrics here');
  const report = await health.report();
  return { status: report.status === 'ok' || report.status === 'degraded' ? 200 : 503, type: JSON_TYPE, body: JSON.stringify(report) };
}

function failure(status: number, message: string): Answer {
  return { status, type: JSON_TYPE, body: JSON.stringify({ message }) };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  request.resume();
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}
