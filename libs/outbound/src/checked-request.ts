import type { OutboundLimits, OutboundRequest } from './outbound-client.js';
import { OutboundError } from './outbound-error.js';
import { headerFault } from './outbound-headers.js';
import { urlFault } from './outbound-url.js';

const DEFAULTS: Required<OutboundLimits> = { connectMs: 5000, totalMs: 10_000, bodyBytes: 64 * 1024 };

/** A request that may be sent if its address allows it. */
export interface CheckedRequest {
  readonly url: URL;
  readonly limits: Required<OutboundLimits>;
}

/** @throws OutboundError for an address or header that nothing is ever sent to or with. */
export function checkedRequest({ url, headers = {}, limits = {}, signal }: OutboundRequest): CheckedRequest {
  if (urlFault(url) !== undefined) throw new OutboundError('refused-url');
  if (Object.entries(headers).some(([name, value]) => headerFault(name, value) !== undefined)) throw new OutboundError('refused-header');
  if (signal?.aborted === true) throw new OutboundError('aborted', signal.reason);
  return { url: new URL(url), limits: { ...DEFAULTS, ...limits } };
}
