import { connect } from 'node:net';

/**
 * Sends exactly these bytes to the platform and reads what comes back until the connection ends or is silent.
 * No library puts anything right on the way.
 * @param {string} url the platform's address
 * @param {string | Buffer | (string | Buffer)[]} pieces sent one after the other
 * @param {{ quietMs?: number, pauseMs?: number, seconds?: number, end?: boolean }} [options] `quietMs`: silence after which the answer counts
 *   as complete; `pauseMs`: between pieces; `end`: half-close after the last piece
 * @returns {Promise<{ answers: { status: number, head: string, body: string }[], text: string, closed: boolean, reset: boolean, milliseconds: number }>}
 */
export function sendRaw(url, pieces, { quietMs = 700, pauseMs = 0, seconds = 60, end = false } = {}) {
  const { hostname, port } = new URL(url);
  const started = Date.now();
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const chunks = [];
    let quiet;
    let reset = false;
    const deadline = setTimeout(() => socket.destroy(), seconds * 1000);
    const finish = (closed) => {
      clearTimeout(deadline);
      clearTimeout(quiet);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ answers: splitAnswers(text), text, closed, reset, milliseconds: Date.now() - started });
    };
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      clearTimeout(quiet);
      quiet = setTimeout(() => finish(false), quietMs);
    });
    socket.on('error', () => (reset = true));
    socket.once('end', () => finish(true));
    socket.once('close', () => finish(true));
    socket.once('connect', () => void sendAll(socket, [pieces].flat(), pauseMs, end));
  });
}

async function sendAll(socket, pieces, pauseMs, end) {
  for (const piece of pieces) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  if (end) socket.end();
}

/** One request as bytes; the header lines are sent as they are given. */
export function rawRequest(method, target, headers = {}, body = '') {
  const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`));
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** The answers in a stream of bytes, told apart by Content-Length or chunks. */
function splitAnswers(text) {
  const answers = [];
  let rest = text;
  while (rest.startsWith('HTTP/1.')) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) break;
    const head = rest.slice(0, headEnd);
    rest = rest.slice(headEnd + 4);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const chunked = /^transfer-encoding: *chunked/im.test(head);
    const bodyEnd = chunked ? chunkedEnd(rest) : Number(length ?? 0);
    answers.push({ status: Number(head.slice(9, 12)), head, body: rest.slice(0, bodyEnd) });
    rest = rest.slice(bodyEnd);
  }
  return answers;
}

function chunkedEnd(text) {
  const last = text.indexOf('0\r\n\r\n');
  return last < 0 ? text.length : last + 5;
}
