/** Why nothing came back. The sentences name neither addresses nor anything that the other side said. */
const FAULTS = {
  'refused-url': 'the address is not one that this server sends to; it must be http:// or https:// with a host and without a user name',
  'refused-header': 'a header cannot be sent; names and values must not contain line breaks or other control characters',
  'refused-address': 'the address leads into a network that this server does not send to; an administrator can allow it with HAVEN_OUTBOUND_ALLOW',
  unresolved: 'the host is not known',
  unreachable: 'the host cannot be reached',
  tls: 'no trusted connection could be made: the certificate of the host is not valid, or TLS is not spoken there',
  timeout: 'the host did not answer in time',
  broken: 'the answer of the host broke off, or was no HTTP',
  aborted: 'the request was given up',
} as const;

export type OutboundFault = keyof typeof FAULTS;

/** A request that was not sent, or that got no answer. Its message may be shown to whoever asked for the request. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';

  /** @param cause for the log only: it may hold addresses. */
  constructor(readonly fault: OutboundFault, cause?: unknown) {
    super(FAULTS[fault], cause === undefined ? {} : { cause });
  }

  /** Whether the same request can succeed later without anybody changing anything. */
  get passes(): boolean {
    return this.fault !== 'refused-url' && this.fault !== 'refused-header' && this.fault !== 'refused-address';
  }
}
