import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// A real OpenID provider (node-oidc-provider) as a process of its own. It reads JSON lines: the first one says on which
// port and for which client it works, later ones what people are. It answers each with a line.

const people = new Map();
let provider;

/** Whoever logs in under a name is that person; the page of this provider asks for no real password. */
function findAccount(_context, id) {
  return { accountId: id, claims: () => ({ sub: id, ...people.get(id) }) };
}

function start({ port, client }) {
  provider = new Provider(`http://localhost:${port}`, {
    clients: [{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], ...client }],
    claims: { openid: ['sub', 'groups'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    pkce: { required: () => true },
    findAccount,
  });
  provider.listen(port, '127.0.0.1', () => console.log(JSON.stringify({ ready: true })));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { start: settings, person } = JSON.parse(line);
  if (settings !== undefined) start(settings);
  if (person !== undefined) {
    people.set(person.sub, person);
    console.log(JSON.stringify({ known: person.sub }));
  }
}
process.exit(0);
