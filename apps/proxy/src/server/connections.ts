import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AddressRanges } from '@haven/runtime';
import type { Exchange } from '../exchange/exchange.js';
import type { Peer } from '../headers/forwarded.js';

/** What is known of a client's connection. */
export interface Connection extends Peer {
  /** How many of its requests wait for something other than the client. */
  waiting: number;
  /** How many of its requests are not answered yet. */
  exchanges: number;
  /** An answer has said that it is the last one here: what else comes on this connection is not looked at. */
  closing: boolean;
  /** What came after the last request is not HTTP: the connection ends with the answers that are still due. */
  doomed: boolean;
  /** The latest exchange. */
  latest: Exchange | undefined;
}

/** Finds out about each connection once, not once for each request. */
export class Connections {
  readonly #known = new WeakMap<Socket, Connection>();
  readonly #trusted: AddressRanges;

  constructor(trusted: AddressRanges) {
    this.#trusted = trusted;
  }

  of(socket: Socket): Connection {
    return this.#known.get(socket) ?? this.#add(socket);
  }

  #add(socket: Socket): Connection {
    const reported = socket.remoteAddress ?? '';
    const address = reported.startsWith('::ffff:') && reported.includes('.') ? reported.slice('::ffff:'.length) : reported.replace(/%.*$/, '');
    const connection: Connection = {
      address: address === '' ? '0.0.0.0' : address, trusted: this.#trusted.includes(address), scheme: socket instanceof TLSSocket ? 'https' : 'http', waiting: 0, exchanges: 0, closing: false, doomed: false, latest: undefined,
    };
    this.#known.set(socket, connection);
    return connection;
  }
}
