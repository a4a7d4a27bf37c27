import { connect } from 'node:net';

/** Empties one database of a Redis, as FLUSHALL would all of them: what is connected to it stays connected. */
export async function emptyRedis(url: string): Promise<void> {
  const { hostname, port, password, pathname } = new URL(url);
  const commands = [...(password === '' ? [] : [`AUTH ${decodeURIComponent(password)}`]), `SELECT ${pathname.slice(1)}`, 'FLUSHDB', 'QUIT'];
  const reply = await new Promise<string>((resolve, reject) => {
    let received = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => { socket.write(commands.map((command) => `${command}\r\n`).join('')); });
    socket.setTimeout(5000, () => { socket.destroy(new Error('Redis does not answer')); });
    socket.on('data', (data) => { received += data.toString(); });
    socket.on('error', reject);
    socket.on('close', () => { resolve(received); });
  });
  if (reply.split('+OK').length - 1 !== commands.length) throw new Error(`Redis was not emptied: ${reply}`);
}
