import { connect, type Socket } from 'node:net';

/** What came back on a connection, and whether the other side closed it. */
export interface RawAnswer {
  readonly text: string;
  readonly closed: boolean;
}

export function openRaw(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.off('error', reject);
      socket.on('error', () => { /* A reset is an end too; 'close' tells. */ });
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Sends bytes as they are and collects what comes back until the connection closes, or for so many milliseconds. */
export async function sendRaw(port: number, bytes: string | Buffer, milliseconds = 700): Promise<RawAnswer> {
  const socket = await openRaw(port);
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => { text += chunk; });
  socket.write(bytes);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ text, closed: false });
      socket.destroy();
    }, milliseconds);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text, closed: true });
    });
  });
}

/** Waits until a condition holds; fails after a while. */
export async function eventually(condition: () => boolean, what: string, milliseconds = 5000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}
