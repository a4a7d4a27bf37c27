import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AccessEpochs, RegistryTokenVerifier, type PublicKeySet } from '@haven/access';
import { basic, PASSWORD, startTestCore, type TestCore } from '../testing/test-core.js';
import { withdrawTokens } from './access-epoch.store.js';

let core: TestCore;
let subject: string;

beforeAll(async () => {
  core = await startTestCore();
  subject = `user:${await core.addUser('alice')}`;
});
afterAll(() => core.stop());

const withdraw = (): Promise<void> => core.database.transaction((transaction) => withdrawTokens(transaction, [subject]));

async function isRevoked(token: string): Promise<boolean> {
  const keys = await core.database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key');
  const claims = await new RegistryTokenVerifier(() => Promise.resolve(Object.fromEntries(keys.map((row) => [row.kid, row.public_jwk])))).verify(token);
  const epochs = new AccessEpochs();
  for (const row of await core.database.query<{ not_before: Date }>('SELECT not_before FROM access_epoch WHERE subject = $1', [subject])) epochs.raise(subject, row.not_before);
  return epochs.isRevoked(claims);
}

async function freshToken(): Promise<string> {
  const { status, body } = await core.call('GET', '/service/token?service=harbor-registry', { headers: { authorization: basic('alice', PASSWORD) } });
  expect(status).toBe(200);
  return (body as { token: string }).token;
}

test('A-14: a token from between two withdrawals is refused, however little time lies between them', async () => {
  await withdraw();
  for (let round = 0; round < 5; round += 1) {
    const token = await freshToken();
    expect(await isRevoked(token)).toBe(false);
    await withdraw();
    expect(await isRevoked(token)).toBe(true);
  }
});
