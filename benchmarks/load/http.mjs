import { Agent, request as httpRequest } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const BODY_LIMIT = 16 * 1024 * 1024;

/**
 * One HTTP request to a loopback address; the answer's body is collected (at most 16 MiB).
 * A connection that the server closed while it was idle is tried once more when nothing was answered yet.
 */
export async function request(url, { method = 'GET', headers = {}, body, seconds = 60 } = {}) {
  const target = loopback(url);
  try {
    return await send(target, { method, headers, body, seconds });
  } catch (error) {
    if (!error.reusedSocket || error.code !== 'ECONNRESET') throw error;
    return send(target, { method, headers, body, seconds });
  }
}

/** Refuses every address but this machine's own: a benchmark must never load somebody else's server. */
export function loopback(url) {
  const target = new URL(url);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(target.hostname)) throw new Error(`${target.host} is not a loopback address`);
  return target;
}

function send(target, { method, headers, body, seconds }) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? (method === 'GET' || method === 'HEAD' ? {} : { 'content-length': 0 }) : { 'content-length': Buffer.byteLength(body) };
    const outgoing = httpRequest(target, { method, agent, headers: { ...headers, ...length } }, (incoming) => {
      const chunks = [];
      let size = 0;
      incoming.on('data', (chunk) => {
        size += chunk.length;
        if (size > BODY_LIMIT) outgoing.destroy(new Error(`${target.pathname} answered more than ${BODY_LIMIT} bytes`));
        else chunks.push(chunk);
      });
      incoming.once('error', reject);
      incoming.once('end', () => resolve({ status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks) }));
    });
    outgoing.setTimeout(seconds * 1000, () => outgoing.destroy(new Error(`${method} ${target.pathname}: no answer within ${seconds} s`)));
    outgoing.once('error', (error) => reject(Object.assign(error, { reusedSocket: outgoing.reusedSocket })));
    outgoing.end(body);
  });
}

/** Throws with the server's own words unless the status is the expected one. */
export function succeeded(answer, status, what) {
  if (answer.status !== status) throw new Error(`${what}: expected ${status}, got ${answer.status} ${answer.body.toString().slice(0, 400)}`);
  return answer;
}
