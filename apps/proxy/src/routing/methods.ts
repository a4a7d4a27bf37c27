/** The methods that are passed on. Anything else (TRACE, CONNECT, OPTIONS, WebDAV's) is answered with 405. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export type Method = (typeof METHODS)[number];

export const ALLOW = METHODS.join(', ');

export function isMethod(text: string | undefined): text is Method {
  switch (text) {
    case 'GET': case 'HEAD': case 'POST': case 'PUT': case 'PATCH': case 'DELETE': return true;
    default: return false;
  }
}
