import type { RefusalName } from './refusals.js';

/** Whether a connection was never made, so that the request cannot have reached the upstream. */
export function isConnectFault(error: Error): boolean {
  switch (codeOf(error)) {
    case 'ECONNREFUSED': case 'ENOTFOUND': case 'EAI_AGAIN': case 'EHOSTUNREACH': case 'EHOSTDOWN': case 'ENETUNREACH': case 'ENETDOWN': case 'UND_ERR_CONNECT_TIMEOUT':
      return true;
    default:
      return (error as NodeJS.ErrnoException).syscall === 'connect';
  }
}

/** What the client is told when a request failed before the upstream answered. */
export function refusalFor(error: Error): RefusalName {
  const code = codeOf(error);
  if (isConnectFault(error)) return 'unavailable';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'upstreamSlow';
  return code === 'UND_ERR_INVALID_ARG' ? 'malformed' : 'upstreamGone';
}

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
