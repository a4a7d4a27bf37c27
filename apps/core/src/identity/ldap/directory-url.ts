/** One server of the directory. */
export interface DirectoryServer {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on. */
  readonly secure: boolean;
  /** How messages name it. */
  readonly name: string;
}

const MOST_SERVERS = 10;
const PLAIN_PORT = 389;
const SECURE_PORT = 636;

/**
 * The servers that ldap_url names, separated by spaces or commas, in the order in which they are asked. As in Harbor a
 * missing scheme is ldap://, and port 636 speaks TLS from the start.
 *
 * @returns a sentence for administrators when one of them is malformed
 */
export function parseServers(text: string): readonly DirectoryServer[] | string {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length === 0) return 'ldap_url is empty; set it to something like ldaps://directory.example.org';
  if (parts.length > MOST_SERVERS) return `ldap_url may name at most ${MOST_SERVERS} servers`;
  const servers = parts.map(parseServer);
  return servers.every((server) => server !== undefined) ? servers : 'ldap_url must hold addresses like ldaps://directory.example.org:636 and nothing behind the port';
}

function parseServer(text: string): DirectoryServer | undefined {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `ldap://${text}`;
  const url = URL.parse(written);
  if (url === null || (url.protocol !== 'ldap:' && url.protocol !== 'ldaps:') || url.hostname === '') return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '' || (url.pathname !== '' && url.pathname !== '/')) return undefined;
  const port = url.port === '' ? (url.protocol === 'ldaps:' ? SECURE_PORT : PLAIN_PORT) : Number(url.port);
  if (port < 1) return undefined;
  const secure = url.protocol === 'ldaps:' || port === SECURE_PORT;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port, secure, name: `${secure ? 'ldaps' : 'ldap'}://${url.hostname}:${port}` };
}
