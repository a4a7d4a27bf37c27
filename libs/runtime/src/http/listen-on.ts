import type { AddressInfo, Server } from 'node:net';
import type { ListenAddress } from '../settings/setting.js';

/** A service could not listen where its settings said. The message names the setting to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Listens and answers the address in use.
 *
 * @param setting the setting to change when the port is taken, such as HAVEN_LISTEN.
 * @throws ListenError
 */
export function listenOn(server: Server, address: ListenAddress, setting: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => { reject(listenError(error, address, setting)); };
    server.once('error', refuse);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', refuse);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Turns the system's listen errors into what to do about them. */
export function listenError(error: unknown, { host, port }: ListenAddress, setting: string): ListenError {
  return new ListenError(listenAdvice((error as NodeJS.ErrnoException | undefined)?.code, host, port, setting), { cause: error });
}

function listenAdvice(code: string | undefined, host: string, port: number, setting: string): string {
  if (code === 'EADDRINUSE') return `port ${port} on ${host} is already in use; stop what uses it or set ${setting} to another port`;
  if (code === 'EACCES') return `port ${port} on ${host} may not be opened by this user; set ${setting} to a port above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `this machine has no address ${host}; set ${setting} to one that it has`;
  return `cannot listen on ${host}, port ${port}; check ${setting}`;
}
