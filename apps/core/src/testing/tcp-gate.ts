import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A door on loopback to another address, which a test can shut: connections are cut and new ones refused. */
export interface TcpGate {
  readonly port: number;
  shut(): Promise<void>;
  open(): Promise<void>;
  /** Connections that have come, and how many of them there were at the same time at most, since the last time that this was asked. */
  counts(): { readonly accepted: number; readonly atOnce: number };
}

export async function openGate(host: string, port: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let [accepted, now, atOnce] = [0, 0, 0];
  const server = createServer((client) => {
    accepted += 1;
    now += 1;
    atOnce = Math.max(atOnce, now);
    client.once('close', () => { now -= 1; });
    const upstream = connect(port, host);
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const listen = (at: number): Promise<void> => new Promise((resolve) => void server.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const own = (server.address() as AddressInfo).port;
  return {
    port: own,
    open: () => listen(own),
    counts: () => {
      const counted = { accepted, atOnce };
      [accepted, atOnce] = [0, now];
      return counted;
    },
    shut: () => new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    }),
  };
}
