import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a client and Redis, so that a test can take Redis away from one client only. */
export class TcpRelay {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #frozen = false;

  constructor(targetUrl: string) {
    this.#target = new URL(targetUrl);
  }

  /** The target's URL with the relay's address. Known once `open` or `reserve` was called. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  async open(): Promise<void> {
    const server = createServer((client) => { this.#forward(client); });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Finds a free port without serving it yet. */
  async reserve(): Promise<void> {
    await this.open();
    await this.cut();
  }

  /** Ends every connection and refuses new ones. */
  async cut(): Promise<void> {
    const closed = this.#server === undefined ? undefined : once(this.#server, 'close');
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }

  /** From now on accepts and keeps connections, but nothing passes. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  #forward(client: Socket): void {
    const target = connect(Number(this.#target.port), this.#target.hostname);
    for (const [from, to] of [[client, target], [target, client]] as const) {
      this.#sockets.add(from);
      from.on('data', (data) => { to.write(data); });
      from.on('error', () => { to.destroy(); });
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#frozen) from.pause();
    }
  }
}
