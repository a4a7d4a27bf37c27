import { checkedRequest } from './checked-request.js';
import { OutboundClient, type OutboundRequest, type OutboundResponse } from './outbound-client.js';

/** What the other side answers; what is left out is as in an empty answer of status 200. Throw an OutboundError for no answer. */
export type FakeAnswer = (request: OutboundRequest) => { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

/** Sends nothing, remembers everything, and refuses what every client refuses. */
export class FakeOutboundClient extends OutboundClient {
  readonly sent: OutboundRequest[] = [];
  answer: FakeAnswer;

  constructor(answer: FakeAnswer = () => ({})) {
    super();
    this.answer = answer;
  }

  override async send(request: OutboundRequest): Promise<OutboundResponse> {
    const { limits } = checkedRequest(request);
    this.sent.push(request);
    const { status = 200, headers = {}, body = '' } = this.answer(request);
    const bytes = Buffer.from(request.method === 'HEAD' ? '' : body);
    return { status, headers, body: bytes.subarray(0, limits.bodyBytes), complete: bytes.length <= limits.bodyBytes };
  }

  override close(): void {
    // Nothing is kept.
  }
}
