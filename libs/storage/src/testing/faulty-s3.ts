import http from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `refuse` and `slow-down` answer 500 and 503 without asking the server, and `gone` that there is no such multipart upload.
 * `reset` breaks the connection before the request is passed on, `forget` after the server has carried it out. `cut` breaks it
 * in the middle of the answer's body. `stall` never answers. `lie` lets the server carry it out and answers 500. `no-range`
 * makes the answer look like that of a server which does not know ranges.
 */
export type Fault = 'refuse' | 'slow-down' | 'gone' | 'reset' | 'forget' | 'cut' | 'stall' | 'lie' | 'no-range';

/** A request as it arrived, before any fault. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly range: string | undefined;
}

/** Decides what happens to a request; undefined lets it pass. */
export type FaultPlan = (request: SeenRequest) => Fault | undefined;

/** A server in front of an S3 server that passes requests on, or not. */
export interface FaultyS3 {
  readonly endpoint: string;
  /** Every request so far, in order. */
  readonly requests: SeenRequest[];
  /** How often each fault happened. */
  readonly faults: Map<Fault, number>;
  /** The most PUTs that were under way at the same time. */
  mostPuts(): number;
  close(): Promise<void>;
}

export async function startFaultyS3(target: string, plan: FaultPlan): Promise<FaultyS3> {
  const requests: SeenRequest[] = [];
  const faults = new Map<Fault, number>();
  let puts = 0;
  let mostPuts = 0;
  const server = http.createServer((request, response) => {
    const seen = { method: String(request.method), url: String(request.url), range: request.headers.range };
    requests.push(seen);
    if (seen.method === 'PUT') {
      puts += 1;
      mostPuts = Math.max(mostPuts, puts);
      response.once('close', () => (puts -= 1));
    }
    const fault = plan(seen);
    if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1);
    handle(target, request, response, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, faults, mostPuts: () => mostPuts,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

/**
 * Faults at random, but the same for the same seed and order of requests. No request (method and address) meets more than
 * two in a row, so that whoever tries three times gets through.
 */
export function randomFaults(seed: number, rate: number): FaultPlan {
  const kinds: readonly Fault[] = ['refuse', 'slow-down', 'reset', 'forget', 'cut', 'lie'];
  const random = generator(seed);
  const inARow = new Map<string, number>();
  return ({ method, url }) => {
    const key = `${method} ${url}`;
    const before = inARow.get(key) ?? 0;
    const fault = random() < rate && before < 2 ? kinds[Math.floor(random() * kinds.length)] : undefined;
    if (fault === undefined) inARow.delete(key);
    else inARow.set(key, before + 1);
    return fault;
  };
}

/** The well-known generator "mulberry32". */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function handle(target: string, request: http.IncomingMessage, response: http.ServerResponse, fault: Fault | undefined): void {
  if (fault === 'reset') return void request.socket.destroy();
  if (fault === 'stall') return void request.resume();
  if (fault === 'refuse') return refuse(request, response, 500, 'InternalError');
  if (fault === 'slow-down') return refuse(request, response, 503, 'SlowDown');
  if (fault === 'gone') return refuse(request, response, 404, 'NoSuchUpload');
  const onward = http.request(target, { method: request.method, path: request.url, headers: request.headers, agent: false }, (answer) => {
    if (fault === 'forget' || fault === 'lie') {
      answer.resume();
      answer.once('end', () => (fault === 'forget' ? request.socket.destroy() : refuse(request, response, 500, 'InternalError')));
      return;
    }
    const { 'content-range': range, ...others } = answer.headers;
    if (fault === 'no-range') response.writeHead(200, others);
    else response.writeHead(answer.statusCode ?? 502, { ...others, ...(range === undefined ? {} : { 'content-range': range }) });
    if (fault === 'cut') return cut(answer, request, response);
    answer.pipe(response);
    answer.once('error', () => request.socket.destroy());
  });
  onward.once('error', () => request.socket.destroy());
  response.once('close', () => onward.destroy());
  request.pipe(onward);
}

function refuse(request: http.IncomingMessage, response: http.ServerResponse, status: number, code: string): void {
  request.resume();
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>injected</Message><RequestId>F4ULT</RequestId></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body), 'x-amz-request-id': 'F4ULT' }).end(body);
}

/** Sends about half of the body that the headers announce. */
function cut(answer: http.IncomingMessage, request: http.IncomingMessage, response: http.ServerResponse): void {
  let left = Math.floor(Number(answer.headers['content-length'] ?? 0) / 2);
  response.flushHeaders();
  answer.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.byteLength;
    if (left > 0) return void response.write(part);
    response.write(part, () => request.socket.destroy());
    answer.destroy();
  });
  answer.once('end', () => request.socket.destroy());
}
