/** Bounds of one request; what is left out has the default. */
export interface OutboundLimits {
  /** From the start until the connection stands, TLS included, in milliseconds; 5000 by default. */
  readonly connectMs?: number;
  /** From the start until the last byte of the answer, in milliseconds; 10,000 by default. */
  readonly totalMs?: number;
  /** How much of the answer's body is read, in bytes; 64 KiB by default. The connection is closed beyond it. */
  readonly bodyBytes?: number;
}

/** How the other side proves who it is. */
export interface OutboundTls {
  /** False sends to a host whose certificate nobody checked; true by default. */
  readonly verify?: boolean;
  /** Certificates in PEM form that are trusted for this request instead of those of the system. */
  readonly ca?: string;
}

export interface OutboundRequest {
  /** http or https. */
  readonly url: string;
  /** GET by default. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly tls?: OutboundTls;
  readonly limits?: OutboundLimits;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

export interface OutboundResponse {
  /** From 200 to 599. A redirect is an answer like any other: it is never followed. */
  readonly status: number;
  /** By lower-case name; what came several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent, never decompressed; its beginning only when `complete` is false. */
  readonly body: Buffer;
  /** False when the body was longer than the limit. */
  readonly complete: boolean;
}

/**
 * The only way in which this platform sends requests to hosts that people name: webhook receivers, other registries.
 * It sends to public addresses, and to those that the administrator of the machine allows; decided for the very address
 * that is connected to, so that a name cannot mean one address when it is checked and another one when it is used.
 */
export abstract class OutboundClient {
  /** @throws OutboundError for anything but an answer. */
  abstract send(request: OutboundRequest): Promise<OutboundResponse>;

  /** Closes kept connections. */
  abstract close(): void;
}
