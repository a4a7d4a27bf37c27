import type { OutboundClient, OutboundRequest, OutboundResponse } from '../outbound-client.js';
import { OutboundError } from '../outbound-error.js';
import { tokenRequest } from './token-request.js';

/** Another registry, with what is needed to talk to it. */
export interface ReachableRegistry {
  readonly url: string;
  /** Its certificate is not looked at. */
  readonly insecure: boolean;
  /** PEM; the system's authorities when empty. */
  readonly caCertificate: string;
  readonly accessKey: string;
  readonly accessSecret: string;
}

const TIME_MS = 10_000;

/** What the secret of a stored registry is sealed for. */
export function registrySecretContext(id: number): string {
  return `registry:${id}`;
}

/**
 * Whether a registry answers, and takes the credentials when it has some: GET /v2/ (OCI distribution specification,
 * end-1), with the challenge it makes. Never rejects: why it does not is for nobody to read, as that would tell about
 * networks that only this server sees.
 *
 * @param signal gives the attempt up, which looks like a registry that does not answer
 */
export async function isHealthyRegistry(client: OutboundClient, registry: ReachableRegistry, signal?: AbortSignal): Promise<boolean> {
  const timeout = AbortSignal.timeout(TIME_MS);
  try {
    return await probe(client, registry, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
  } catch (error) {
    if (error instanceof OutboundError) return false;
    throw error;
  }
}

async function probe(client: OutboundClient, registry: ReachableRegistry, signal: AbortSignal): Promise<boolean> {
  const { insecure, caCertificate, accessKey, accessSecret } = registry;
  const tls = { verify: !insecure, ...(caCertificate === '' ? {} : { ca: caCertificate }) };
  const send = (request: OutboundRequest): Promise<OutboundResponse> => client.send({ tls, signal, ...request });
  const base = `${registry.url.replace(/\/+$/, '')}/v2/`;
  const first = await send({ url: base });
  if (first.status !== 401) return first.status === 200;
  const challenge = first.headers['www-authenticate'] ?? '';
  if (!/^(?:basic|bearer)\b/i.test(challenge)) return false;
  if (accessKey === '' || accessSecret === '') return true;
  const basic = `Basic ${Buffer.from(`${accessKey}:${accessSecret}`).toString('base64')}`;
  if (/^basic\b/i.test(challenge)) return (await send({ url: base, headers: { Authorization: basic } })).status === 200;
  const request = tokenRequest(challenge, registry.url);
  if (request === undefined) return false;
  const answer = await send({ url: request, headers: { Authorization: basic } });
  const token = answer.status === 200 && answer.complete ? tokenIn(answer.body.toString()) : undefined;
  return token !== undefined && (await send({ url: base, headers: { Authorization: `Bearer ${token}` } })).status === 200;
}

function tokenIn(body: string): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(body) as Record<string, unknown>;
    const found = token ?? accessToken;
    return typeof found === 'string' && /^[\w.~+/=-]{1,16384}$/.test(found) ? found : undefined;
  } catch {
    return undefined; // Whatever it is, it is no token.
  }
}
